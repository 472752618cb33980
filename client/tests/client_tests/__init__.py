"""Tests of the client, without an API; api/tests have those with one."""
