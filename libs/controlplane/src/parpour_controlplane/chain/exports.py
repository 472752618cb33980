"""A history as a file: one JSON value a line, so that it can be written, looked through and compared by ordinary means.

The first line names form and tenant; then come events, blocks and checkpoints, each in its order. Bytes are in
hexadecimal; a payload is the text that was hashed. An erased event has neither salt nor payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from parpour_controlplane.chain.blocks import Block, Opening, SealedBlock, SealedEvent
from parpour_controlplane.chain.checkpoints import Checkpoint
from parpour_controlplane.chain.verifying import History
from parpour_controlplane.errors import ControlPlaneError

FORM = "parpour-history-1"


def head_line(tenant: UUID) -> str:
    """The first line."""
    return _line({"form": FORM, "tenant": str(tenant)})


def event_line(event: SealedEvent) -> str:
    """The line of an event."""
    fields = {"header": event.header.hex(), "commitment": event.commitment.hex(), "leaf": event.leaf.hex()}
    if event.opening:
        fields |= {"salt": event.opening.salt.hex(), "payload": event.opening.payload.decode()}
    return _line({"event": fields})


def block_line(sealed: SealedBlock) -> str:
    """The line of a block."""
    block = sealed.block
    fields = {
        "tenant": str(block.tenant),
        "number": block.number,
        "first": block.first,
        "count": block.count,
        "root": block.root.hex(),
        "previous": block.previous.hex(),
        "sealedAt": block.sealed_at,
        "hash": sealed.hash.hex(),
    }
    return _line({"block": fields})


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """The line of a checkpoint."""
    return _line({"checkpoint": checkpoint.encode().hex()})


def read_history(lines: Iterable[str]) -> History:
    """The history that these lines are, in memory.

    Raises:
        ControlPlaneError: EXPORT_MALFORMED, with the line.
    """
    parts = list(_parts(lines))
    return History(
        _tenant_of(parts),
        [one for one in parts if isinstance(one, SealedEvent)],
        [one for one in parts if isinstance(one, SealedBlock)],
        [one for one in parts if isinstance(one, Checkpoint)],
    )


class HistoryFile:
    """The history of a file. Its events stay there and are read as often as somebody goes through them."""

    def __init__(self, path: Path) -> None:
        """Read all but the events.

        Raises:
            ControlPlaneError: EXPORT_MALFORMED, with the line.
            OSError: if the file cannot be read.
        """
        self._path = path
        with open_export(path) as file:
            parts = list(_parts(file, without=_EVENT))
        self.tenant: UUID = _tenant_of(parts)
        self.blocks = [one for one in parts if isinstance(one, SealedBlock)]
        self.checkpoints = [one for one in parts if isinstance(one, Checkpoint)]

    @property
    def events(self) -> Iterable[SealedEvent]:
        """The events, in their order."""
        return _EventsOf(self._path)


class _EventsOf:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[SealedEvent]:
        with open_export(self._path) as file:
            for one in _parts(file, without=_OTHERS):
                if isinstance(one, SealedEvent):
                    yield one


def open_export(path: Path) -> TextIO:
    """A file of lines that somebody else wrote: bytes that are no text are found where they are used."""
    return path.open(encoding="utf-8", errors="surrogateescape", newline="\n")


_EVENT = ('{"event":',)
_OTHERS = ('{"block":', '{"checkpoint":')
"""How lines begin; a line has one thing, or it is malformed, so what is passed over here is nothing else."""


def _parts(
    lines: Iterable[str], *, without: tuple[str, ...] = ()
) -> Iterator[UUID | SealedEvent | SealedBlock | Checkpoint]:
    """What each line is; lines that begin in one of some ways are passed over."""
    for number, line in enumerate(lines, 1):
        if line.startswith(without):
            continue
        try:
            value = json.loads(line)
            if number == 1:
                if value["form"] != FORM:
                    raise ValueError(f"another form than {FORM}")
                yield UUID(value["tenant"])
                continue
            ((kind, fields),) = value.items()
            if f'{{"{kind}":' in without:
                continue
            if kind == "event":
                yield _event(fields)
            elif kind == "block":
                yield _block(fields)
            elif kind == "checkpoint":
                yield Checkpoint.decode(bytes.fromhex(fields))
            else:
                raise KeyError(kind)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ControlPlaneError("EXPORT_MALFORMED", f"line {number}: {type(error).__name__}: {error}") from None


def _tenant_of(parts: Sequence[UUID | SealedEvent | SealedBlock | Checkpoint]) -> UUID:
    if not parts or not isinstance(parts[0], UUID):
        raise ControlPlaneError("EXPORT_MALFORMED", "the file is empty")
    return parts[0]


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def _event(fields: dict[str, str]) -> SealedEvent:
    opening = None
    if "salt" in fields or "payload" in fields:
        opening = Opening(bytes.fromhex(fields["salt"]), fields["payload"].encode())
    return SealedEvent(
        header=bytes.fromhex(fields["header"]),
        commitment=bytes.fromhex(fields["commitment"]),
        leaf=bytes.fromhex(fields["leaf"]),
        opening=opening,
    )


def _block(fields: dict[str, Any]) -> SealedBlock:
    numbers = [fields[name] for name in ("number", "first", "count", "sealedAt")]
    if not all(type(number) is int for number in numbers):
        raise ValueError("a number is missing")
    number, first, count, sealed_at = numbers
    block = Block(
        tenant=UUID(fields["tenant"]),
        number=number,
        first=first,
        count=count,
        root=bytes.fromhex(fields["root"]),
        previous=bytes.fromhex(fields["previous"]),
        sealed_at=sealed_at,
    )
    return SealedBlock(block, bytes.fromhex(fields["hash"]))
