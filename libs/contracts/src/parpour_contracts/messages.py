"""Messages that worker pods send: progress over NATS, and one last word in the termination message.

Progress is a hint and may be lost; the termination message and the store are what decides.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from parpour_contracts.model import Document
from parpour_contracts.simulation import Metric

TERMINATION_LIMIT = 4096
"""Bytes that the kubelet keeps of a termination message."""

Count = Annotated[int, Field(ge=0)]


class ProgressV1(Document):
    """Where one shard stands. The latest one replaces the ones before."""

    version: Literal[1] = 1
    run: str
    """UID of the Simulation."""
    shard: Count
    shards: Count
    state: Literal["Running", "Stopping", "Done"]
    members: Count
    """Members of this shard."""
    members_done: Count
    ticks_done: Count
    """Ticks done, summed over the shard's members, checkpointed or not."""
    ticks_total: Count
    agent_updates: Count
    """Agents times ticks that this pod has computed since it started."""
    busy_milliseconds: Count
    """Time this pod has spent computing them."""
    at: datetime
    """The pod's clock."""


class Termination(Document):
    """A worker's last word: why it ended, and for `collect` what the run came to."""

    version: Literal[1] = 1
    code: str
    """Stable code, for example DONE or SCENARIO_OUT_OF_RANGE."""
    message: str = ""
    """For people: field and remedy."""
    digest: str | None = None
    """Run digest, from collect."""
    members: Count | None = None
    """Members verified, from collect."""
    metrics: tuple[Metric, ...] = ()
    """Headline figures, from collect."""

    def to_bytes(self) -> bytes:
        """Canonical bytes within the kubelet's limit; metrics go first, then the message is cut."""
        whole = self
        while len(data := whole.canonical()) > TERMINATION_LIMIT:
            if whole.metrics:
                whole = whole.model_copy(update={"metrics": whole.metrics[:-1]})
            else:
                whole = whole.model_copy(update={"message": whole.message[: len(whole.message) // 2]})
        return data

    @classmethod
    def parse(cls, text: str) -> Termination | None:
        """The message, or None if the text is not one (an image that crashed before it could speak)."""
        try:
            return cls.from_json(text)
        except (ValidationError, ValueError):
            return None
