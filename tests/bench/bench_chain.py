"""The proof of events: how many a second one core verifies, and how many it seals, in blocks large and small.

`python -m bench.bench_chain [--json] [--rounds N] [--events N]` (`make bench-chain`). Events are as long as a
journal's, each with its payload, every second one with a cause, and every block is signed. Reading an export is not in
it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from bench.measure import Action, Figure, Preparation, figure, interleaved, report
from parpour_contracts.events import EventEnvelopeV1
from parpour_controlplane.chain.blocks import Opening, SealedBlock, SealedEvent, seal_block, seal_event
from parpour_controlplane.chain.checkpoints import Checkpoint, SigningKey, TreeHead, sign, trusted
from parpour_controlplane.chain.headers import SALT_BYTES
from parpour_controlplane.chain.merkle import GrowingTree
from parpour_controlplane.chain.verifying import History, verify

TENANT = UUID(int=7)
KEY = SigningKey(bytes(32))
AT = datetime(2026, 1, 1, tzinfo=UTC)
PAYLOAD = (
    b'{"journal": 17, "legs": [{"account": 1, "amount": -1250}, {"account": 2, "amount": 1250}], "memo": "a transfer"}'
)
LARGE, SMALL = 1000, 100
"""Events a block: of a busy second, and of a quiet one."""


def envelopes(count: int) -> list[EventEnvelopeV1]:
    """Events as a service writes them."""
    first = EventEnvelopeV1(
        tenant=TENANT,
        id=UUID(int=0),
        type="treasury.journal.posted",
        version=1,
        time=AT,
        actor="agent:7",
        correlation=UUID(int=1),
        subject="journal/17",
        payload={},
    )
    return [
        first.model_copy(update={"id": UUID(int=number), "causation": UUID(int=number - 1) if number % 2 else None})
        for number in range(2, count + 2)
    ]


def sealed(found: Sequence[EventEnvelopeV1], *, size: int) -> History:
    """The history of these events, in blocks of one size, each signed."""
    events: list[SealedEvent] = []
    blocks: list[SealedBlock] = []
    checkpoints: list[Checkpoint] = []
    tree = GrowingTree()
    for begin in range(0, len(found), size):
        block = [
            seal_event(envelope, Opening(os.urandom(SALT_BYTES), PAYLOAD), position=position)
            for position, envelope in enumerate(found[begin : begin + size], begin + 1)
        ]
        blocks.append(seal_block(TENANT, block, after=blocks[-1] if blocks else None, at=AT))
        events += block
        tree.append(blocks[-1].hash)
        head = TreeHead(TENANT, len(events), len(blocks), tree.root())
        checkpoints.append(sign(head, after=checkpoints[-1] if checkpoints else None, key=KEY, at=AT))
    return History(TENANT, events, blocks, checkpoints)


def measure(*, rounds: int, events: int) -> list[Figure]:
    """All cases, taking turns."""
    found = envelopes(events)
    large, small = sealed(found, size=LARGE), sealed(found, size=SMALL)
    erased = replace(large, events=[one.erased() for one in large.events])

    def verifying(history: History) -> Action:
        return partial(verify, history, keys=trusted([KEY.public]), kept=history.checkpoints[0])

    cases: dict[str, Preparation] = {
        f"verified, blocks of {LARGE}": partial(verifying, large),
        f"verified, blocks of {SMALL}": partial(verifying, small),
        "verified, all payloads erased": partial(verifying, erased),
        f"sealed, blocks of {LARGE}": lambda: partial(sealed, found, size=LARGE),
    }
    samples = interleaved(cases, rounds=rounds)
    goals = {f"verified, blocks of {size}": 100_000 for size in (LARGE, SMALL)}
    return [
        figure(name, "events/CPU s", [events / sample.cpu for sample in taken], at_least=goals.get(name))
        for name, taken in samples.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}"
    rows = measure(rounds=options.rounds, events=options.events)
    report("The proof of events", rows, as_json=options.json, load_before=load)


if __name__ == "__main__":
    main()
