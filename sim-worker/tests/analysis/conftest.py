"""Builders for analyses: a small economy of savers, a small climate, and the plain CPU."""

from __future__ import annotations

import pytest

from civlab.runtime.backend import Backend

SAVERS = """\
apiVersion: civlab/v1
model: exchange
title: Savers
ticks: 40
population: {size: 800, money: 1000}
exchange: {law: pooled, saving: 0.2}
"""
WARMING = """\
apiVersion: civlab/v1
model: climate
title: A century of warming
ticks: 120
start: 1950
configuration: {kind: fair}
tipping: silent
pathway: {kind: splice, before: {kind: family, name: high}, after: {kind: family, name: low}, year: 2030}
"""


@pytest.fixture
def savers() -> str:
    """Eight hundred agents who pool what they do not save, over 40 rounds."""
    return SAVERS


@pytest.fixture
def warming() -> str:
    """A climate from 1950 to 2069 in FaIR's equations with numbers of its own."""
    return WARMING


@pytest.fixture
def cpu() -> Backend:
    """The CPU with one thread."""
    return Backend.cpu(1)
