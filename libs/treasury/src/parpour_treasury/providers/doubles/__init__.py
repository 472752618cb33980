"""Doubles of the providers: servers on loopback that behave as published, quirks and faults included.

Each is a core without input or output (`stripe`, `mercury`) in one of two shells (`serving`): a real HTTP server, or a
transport within the process for tests that run thousands of payments. They take only keys for tests.
"""
