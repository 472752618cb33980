"""Exit codes of a worker pod and what Kubernetes does about each.

The numbers follow sysexits.h where it has one. The operator turns this table into the Job's pod failure policy, the
docs print it, and the worker returns nothing else on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Policy = Literal["Complete", "FailJob", "Count", "Ignore"]


class ExitCode(IntEnum):
    """What a worker says when it ends."""

    DONE = 0
    BAD_SPEC = 64
    UNAVAILABLE = 69
    BROKEN_INVARIANT = 70
    STOPPED_WITH_WORK_LEFT = 75


@dataclass(frozen=True)
class ExitMeaning:
    """One row of the table."""

    code: ExitCode
    policy: Policy
    meaning: str


EXIT_TABLE: tuple[ExitMeaning, ...] = (
    ExitMeaning(ExitCode.DONE, "Complete", "the shard's manifest stands in the store"),
    ExitMeaning(
        ExitCode.BAD_SPEC,
        "FailJob",
        "the run document cannot be run; the termination message says which field and why",
    ),
    ExitMeaning(
        ExitCode.UNAVAILABLE,
        "Count",
        "the output store refused or stayed away, or the node lacks memory or a device; counts against spec.retries",
    ),
    ExitMeaning(
        ExitCode.BROKEN_INVARIANT,
        "FailJob",
        "the simulation stopped itself: an invariant, an overflow or the digest chain did not hold",
    ),
    ExitMeaning(
        ExitCode.STOPPED_WITH_WORK_LEFT,
        "Ignore",
        "told to stop (SIGTERM) with work left; a checkpoint stands, another pod carries on",
    ),
)
