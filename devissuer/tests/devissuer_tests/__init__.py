"""Tests of the development issuer."""
