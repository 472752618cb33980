"""A venture in which something went wrong, for tests: its spends in every state, contained, sealed and handed over."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Place
from parpour_treasury.auditing.handing import hand_over
from parpour_treasury.spending.containing import Cause, Containment
from parpour_treasury.spending.testing import AGENT, PaymentWorker, Venture, open_venture, payment_worker

KEY = SigningKey(b"k" * 32)
HOSTILE = "<script>alert('banners')</script> | [x](http://x) & more"
"""A purpose that a page must not take for its own words."""


@dataclass(frozen=True)
class Wronged:
    """What the tests know of it."""

    tenant: UUID
    shop: UUID
    firm: UUID
    spends: dict[str, UUID]
    """By what they show."""
    contained_at: datetime
    until: datetime
    key: bytes = KEY.public


async def wronged(place: Place, folder: Path) -> Wronged:
    """Write the audit folder of such a venture.

    The agent spends on the shop until it is revoked; another one spends on the shop and on the firm. One thing happens
    after the last checkpoint.
    """
    store = FolderStore(folder.parent / f"{folder.name}-checkpoints")
    async with (
        open_venture(place) as venture,
        payment_worker(place, venture) as worker,
        open_database(place.dsn("parpour_sealer"), connections=2) as database,
    ):
        spends = await _spend(venture, worker)
        contained_at = datetime.now(UTC)
        containment = Containment(venture.governance, venture.authority, venture.register, venture.books.mint)
        await containment.contain(
            venture.tenant, "user:ann", Cause(actor=AGENT), reason="it buys too much", call_off=True
        )
        await worker.advance(spends["unknown"], "failed", reference="looked up", evidence='{"found": "nothing"}')
        sealer = Sealer(
            database.pool,
            place.sealer,
            SigningKeys((KEY,)),
            store,
            clock=lambda: datetime.now(UTC),
            random=os.urandom,
            pace=SealingPace(sign=0),
        )
        await sealer.round()
        await worker.advance(spends["sent"], "settled", reference="late", evidence='{"status": "posted"}')
        await hand_over(venture.books.database, venture.context, store, venture.tenant, folder)
        return Wronged(venture.tenant, venture.shop, venture.firm, spends, contained_at, datetime.now(UTC))


async def _spend(venture: Venture, worker: PaymentWorker) -> dict[str, UUID]:
    spends = {"refused": (await venture.request(6_000)).spend}
    for name, amount in (("sent", 300), ("unknown", 200), ("submitting", 100)):
        spends[name] = (await venture.request(amount)).spend
    spends["neighbour"] = (await venture.request(40, actor="agent:other")).spend
    spends["settled"] = await _approved(venture, 1_500, HOSTILE)
    other = await venture.request(70, actor="agent:other", payee=venture.firm)
    run = await venture.request(30, actor="user:bob", payee=venture.platform)
    spends |= {"other": other.spend, "metered": run.spend}
    for item in await worker.claim():
        name = next(name for name, spend in spends.items() if str(spend) == item["spend"])
        if name != "submitting":
            step = "unknown" if name == "unknown" else "sent"
            evidence = json.dumps({"status": 200, "id": f"po_{name}"})
            reference = None if name == "unknown" else f"po_{name}"
            await worker.advance(UUID(item["spend"]), step, provider=reference, evidence=evidence)
    for name in ("settled", "other", "neighbour"):
        spend = spends[name]
        assert spend is not None, name
        await worker.advance(spend, "settled", fee=5)
    assert run.spend is not None, "it was reserved"
    refused = await venture.renew(run.spend, 10_000, actor="user:bob")
    assert refused.codes, "a renewal that is refused is told by no step"
    await venture.settle(run.spend, 20, actor="user:bob")
    spends["reserved"] = await _approved(venture, 90, "banners")
    spends["awaiting"] = (await venture.request(2_000)).spend
    return {name: spend for name, spend in spends.items() if spend is not None}


async def _approved(venture: Venture, amount: int, purpose: str) -> UUID | None:
    asked = await venture.request(amount, purpose=purpose)
    await venture.approve(asked.spend, "user:cat")
    return asked.spend
