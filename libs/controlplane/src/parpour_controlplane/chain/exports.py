"""A history as a file: one JSON value a line, so that it can be written, looked through and compared by ordinary means.

The first line names form and tenant; then come events, blocks and checkpoints, each in its order. Bytes are in
hexadecimal; a payload is the text that was hashed. An erased event has neither salt nor payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
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
    """The history that these lines are.

    Raises:
        ControlPlaneError: EXPORT_MALFORMED, with the line.
    """
    tenant: UUID | None = None
    events: list[SealedEvent] = []
    blocks: list[SealedBlock] = []
    checkpoints: list[Checkpoint] = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if tenant is None:
                if value["form"] != FORM:
                    raise ValueError(f"another form than {FORM}")
                tenant = UUID(value["tenant"])
            elif "event" in value:
                events.append(_event(value["event"]))
            elif "block" in value:
                blocks.append(_block(value["block"]))
            else:
                checkpoints.append(Checkpoint.decode(bytes.fromhex(value["checkpoint"])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ControlPlaneError("EXPORT_MALFORMED", f"line {number}: {type(error).__name__}: {error}") from None
    if tenant is None:
        raise ControlPlaneError("EXPORT_MALFORMED", "the file is empty")
    return History(tenant, events, blocks, checkpoints)


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
