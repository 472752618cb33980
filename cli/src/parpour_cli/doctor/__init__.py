"""`parpour doctor`: observe the cluster once, then judge each observation by a pure check."""

from __future__ import annotations

from datetime import datetime

from parpour_cli.cluster import Cluster
from parpour_cli.doctor.checks import CHECKS, Finding, failed, judge
from parpour_cli.doctor.observing import observe, operator_image
from parpour_cli.doctor.reporting import report

__all__ = ["CHECKS", "Finding", "examine", "failed", "judge", "observe", "operator_image", "report"]


def examine(cluster: Cluster, *, operator_namespace: str | None, now: datetime) -> list[Finding]:
    """All findings, in the order of the checks."""
    return judge(observe(cluster, operator_namespace=operator_namespace, now=now))
