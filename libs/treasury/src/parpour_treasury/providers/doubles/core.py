"""What the doubles share: requests and replies, the script of faults, the world that outlives a process, webhooks."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.webhooks import sign

Clock = Callable[[], datetime]


class Fault(StrEnum):
    """What goes wrong with one request that would pay."""

    NONE = "none"
    DROP = "drop the connection before any work"
    WORK_THEN_DROP = "do the work, then drop the connection"
    WORK_THEN_SILENCE = "do the work, then never answer"
    WORK_THEN_500 = "do the work, then answer 500"
    BROKEN = "answer 500 without any work"
    LIMITED = "answer 429 without any work"
    CONFLICT = "answer 409 without any work"
    GARBLED = "do the work, then answer what is no JSON"
    SLOW = "take a while"
    HOOK_FIRST = "deliver the webhook before the answer"


class Script:
    """The faults of the requests to come, in order; after the last one nothing goes wrong."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)

    @classmethod
    def of_seed(cls, seed: int, *, longest: int = 6, kinds: Sequence[Fault] = tuple(Fault)) -> Script:
        """Up to `longest` faults, drawn from the seed."""
        draw = random.Random(seed)  # noqa: S311  a script of faults, no secret
        return cls(draw.choice(kinds) for _ in range(draw.randint(0, longest)))

    def add(self, *faults: Fault) -> None:
        """Appends faults."""
        self._faults.extend(faults)

    def take(self) -> Fault:
        """The fault of the next request."""
        return self._faults.pop(0) if self._faults else Fault.NONE


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case; query and form are pairs in order."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's pairs."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body's pairs, read as a form."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Effect(StrEnum):
    """What the shell does with the connection."""

    ANSWER = "answer"
    DROP = "drop"
    SILENCE = "silence"


@dataclass(frozen=True)
class Exchange:
    """What comes of a request."""

    effect: Effect
    reply: Reply | None = None
    hook_first: bool = False


@dataclass(frozen=True)
class Paid:
    """What truly was ordered at the provider, for tests: money that left is in a state but failed or cancelled."""

    reference: str
    spend_id: str
    key: str
    amount: int
    currency: str
    destination: str
    state: str

    @property
    def stands(self) -> bool:
        """Whether the money is on its way or gone."""
        return self.state not in {"failed", "canceled", "cancelled", "returned", "rejected"}


@dataclass(frozen=True)
class Delivery:
    """A webhook on its way: the raw body and its signature's header."""

    header: str
    signature: str
    body: bytes


Sleep = Callable[[float], Awaitable[None]]


class Double(Protocol):
    """A provider's double as its shells see it."""

    script: Script

    async def exchange(self, request: Request, sleep: Sleep) -> Exchange:
        """What comes of a request, the script's fault included."""
        ...

    def payments(self) -> list[Paid]:
        """What truly was ordered."""
        ...

    def deliveries(self, *, doubled: bool = ..., reordered: bool = ..., skew: timedelta = ...) -> list[Delivery]:
        """Takes the webhooks that are due."""
        ...

    def advance(self, reference: str, state: str, code: str = "") -> None:
        """Moves a payment on, as time would at the provider."""
        ...


class World:
    """A provider's books as JSON; with a path they outlive the process, and a killed worker finds them again."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.state: dict[str, Any] = {"objects": {}, "keys": {}, "entries": [], "events": [], "made_by": {}, "count": 0}
        if path is not None and path.exists():
            self.state = json.loads(path.read_text(encoding="utf-8"))

    def save(self) -> None:
        """Writes the books beside the file and renames them there."""
        if self._path is not None:
            beside = self._path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(self.state), encoding="utf-8")
            beside.replace(self._path)

    def number(self) -> int:
        """The next number, for ids."""
        self.state["count"] += 1
        return int(self.state["count"])


def signed(
    header: str,
    bodies: Sequence[bytes],
    secret: Secret,
    now: datetime,
    *,
    doubled: bool = False,
    reordered: bool = False,
    skew: timedelta = timedelta(0),
) -> list[Delivery]:
    """Signs webhooks; a clock that is `skew` ahead signs into the future."""
    result = [Delivery(header, sign(body, secret, now=now + skew), body) for body in bodies]
    if reordered:
        result.reverse()
    return [item for item in result for _ in range(2 if doubled else 1)]
