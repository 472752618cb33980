"""NATS subjects and stream names that two components share.

Workers publish below `platform.`; in a tenant's account the server maps that prefix to the account's own ingest
subject, so a worker never states whose it is.
"""

from __future__ import annotations

import re
from uuid import UUID

PROGRESS_STREAM = "PROGRESS"
PROGRESS_PREFIX = "platform.progress"
PROGRESS_FILTER = f"{PROGRESS_PREFIX}.>"

EVENTS_STREAM = "PARPOUR_EVENTS"
EVENTS_PREFIX = "parpour.events"
EVENTS_FILTER = f"{EVENTS_PREFIX}.>"

_TOKEN = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def progress_subject(*, run: str, shard: int) -> str:
    """The subject of one shard's progress; `run` is the Simulation's UID.

    Raises:
        ValueError: if `run` is not one plain subject token.
    """
    if not _TOKEN.match(run):
        raise ValueError(f"not a subject token: {run!r}")
    return f"{PROGRESS_PREFIX}.{run}.{shard}"


def parse_progress_subject(subject: str) -> tuple[str, int]:
    """(run, shard) of a progress subject.

    Raises:
        ValueError: if the subject is not one.
    """
    head, _, rest = subject.partition(f"{PROGRESS_PREFIX}.")
    run, _, shard = rest.partition(".")
    if head or not _TOKEN.match(run) or not shard.isdecimal():
        raise ValueError(f"not a progress subject: {subject!r}")
    return run, int(shard)


def event_subject(*, tenant: UUID, type: str) -> str:
    """The subject of events of one type in one tenant: parpour.events.<tenant>.treasury.journal.posted."""
    return f"{EVENTS_PREFIX}.{tenant}.{type}"


def events_of(tenant: UUID) -> str:
    """The filter of all of a tenant's events."""
    return f"{EVENTS_PREFIX}.{tenant}.>"


def parse_event_subject(subject: str) -> tuple[UUID, str]:
    """(tenant, type) of an event's subject.

    Raises:
        ValueError: if the subject is not one.
    """
    head, _, rest = subject.partition(f"{EVENTS_PREFIX}.")
    tenant, _, type = rest.partition(".")
    if head or not type:
        raise ValueError(f"not an event's subject: {subject!r}")
    return UUID(tenant), type
