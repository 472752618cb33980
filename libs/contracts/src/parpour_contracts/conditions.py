"""Conditions in the shape that Kubernetes tools understand, and the rule by which they change.

`lastTransitionTime` moves only when the status of a condition moves: `set_condition` is the one place that knows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from parpour_contracts.model import Wire

MESSAGE_LIMIT = 1024
"""Longest condition message that we write; the API allows 32,768, people read one screen."""


class Condition(Wire):
    """One observation of a resource, as `metav1.Condition`."""

    type: Annotated[str, Field(max_length=316)]
    """What is observed, for example Complete."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """The cause in one CamelCase word, stable enough to program against."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """The cause for people: which field, and what would mend it."""
    last_transition_time: datetime
    """When the status last changed."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this was observed for."""


def shorten(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """Cut a message at `limit` characters, showing that it was cut."""
    return message if len(message) <= limit else message[: limit - 1] + "…"


def set_condition(
    conditions: Iterable[Condition],
    *,
    type: str,
    status: Literal["True", "False", "Unknown"],
    reason: str,
    message: str,
    observed_generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with one of them replaced or added; order is by type, so that equal sets are equal bytes."""
    kept = {c.type: c for c in conditions}
    before = kept.get(type)
    since = before.last_transition_time if before and before.status == status else now.astimezone(UTC)
    kept[type] = Condition(
        type=type,
        status=status,
        reason=reason,
        message=shorten(message),
        last_transition_time=since,
        observed_generation=observed_generation,
    )
    return tuple(kept[name] for name in sorted(kept))


def is_true(conditions: Iterable[Condition], type: str) -> bool:
    """Whether the condition is there and holds."""
    return any(c.type == type and c.status == "True" for c in conditions)
