"""Tests of the internal API."""
