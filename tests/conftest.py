"""Fixtures of the tests that cross components."""

from __future__ import annotations

import pytest

from harness import release as releases
from harness.release import Release
from parpour_devcluster.testing import RunningCluster, cluster

__all__ = ["cluster"]


@pytest.fixture(scope="session")
def release(cluster: RunningCluster) -> Release:
    """The chart, installed in the test cluster with images built from this tree."""
    return releases.install(cluster, clear=True)
