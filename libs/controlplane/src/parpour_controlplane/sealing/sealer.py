"""The sealer: gives committed events their places, in blocks, and signs what a tenant's history has come to.

One query finds the tenants that have something to seal, however many are idle. Each of them is taken for a few seconds
at a time; the epoch that comes with it fences every write, so two sealers may run, and one takes over when the other is
gone. The last signed checkpoint is compared with the database whenever a tenant is taken: a database that forgets or
contradicts what was signed gets no further signature. Where people have resumed a history (`resuming`), the last
checkpoint is of what the restored database has, and the sealer goes on and has an event tell of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from parpour_controlplane.calls import Calls, refused
from parpour_controlplane.chain.blocks import NOTHING, Block, Opening, SealedBlock, SealedEvent, seal_header
from parpour_controlplane.chain.checkpoints import Checkpoint, TreeHead, sign
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.chain.headers import microseconds
from parpour_controlplane.chain.merkle import GrowingTree, root_of
from parpour_controlplane.chain.ordering import causes_first
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.events import header_of
from parpour_controlplane.migrations import sql
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.resuming import ACTOR, check_root, tell_resumption
from parpour_controlplane.sealing.stores import CheckpointStore, PlaceTakenError

_log = logging.getLogger(__name__)
_UNSEALED_TENANTS = sql("parpour_controlplane", "unsealed_tenants.sql")
_UNSEALED_EVENTS = "select * from controlplane.unsealed_events($1, $2)"
_TAKE = "select * from controlplane.take_chain($1, $2, $3)"
_RELEASE = "select controlplane.release_chain($1, $2)"
_NOTE_SIGNED = "select controlplane.note_signed($1, $2, $3)"
_SEAL = "select controlplane.seal_block($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"


@dataclass(frozen=True)
class SealingPace:
    """How often, how much and how long; times in seconds."""

    look: float = 0.1
    """Between two looks for tenants with something to seal."""
    block_events: int = 2000
    """About how many events a block has at most; it has whole transactions."""
    tenants_at_once: int = 4
    lease: float = 5.0
    """For how long a tenant is taken: until another sealer may go on after this one died."""
    sign: float = 5.0
    """Between two checkpoints of a tenant."""
    rest: float = 1.0
    """After a failure, before the tenant's next turn."""


@dataclass
class SealingCounts:
    """What a sealer has done; for metrics."""

    events: int = 0
    blocks: int = 0
    checkpoints: int = 0
    stale: int = 0
    """Times that another sealer had taken the tenant."""
    failed: int = 0
    behind_seconds: int = field(default=0, metadata={"gauge": True})
    """For how long a tenant has had something to seal and got nothing sealed; 0 if none has."""
    last_error: str = ""


@dataclass
class _Chain:
    """A tenant that this sealer has taken: how its chain stands."""

    tenant: UUID
    epoch: int
    position: int
    hash: bytes
    tree: GrowingTree
    number: int
    """Of the last checkpoint."""
    checkpoint: Checkpoint | None
    signed_at: datetime | None = None

    @property
    def head(self) -> TreeHead:
        return TreeHead(self.tenant, self.position, self.tree.size, self.tree.root())

    @property
    def unsigned(self) -> bool:
        signed = self.checkpoint.head.blocks if self.checkpoint else 0
        return self.tree.size > signed


@dataclass(frozen=True)
class _Event:
    """An event with its place in the order of transactions."""

    row: Any
    id: UUID
    causation: UUID | None


class Sealer:
    """Seals whatever it finds, one round at a time."""

    def __init__(
        self,
        calls: Calls,
        mint: ContextMint,
        keys: SigningKeys,
        store: CheckpointStore,
        *,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        pace: SealingPace | None = None,
        counts: SealingCounts | None = None,
    ) -> None:
        self._calls = calls
        self._mint = mint
        self._keys = keys
        self._store = store
        self._clock = clock
        self._random = random
        self._pace = pace or SealingPace()
        self._chains: dict[UUID, _Chain] = {}
        self._unsigned: set[UUID] = set()
        self._epochs: dict[UUID, int] = {}
        self._resting: dict[UUID, float] = {}
        self._waiting: dict[UUID, float] = {}
        self.counts = counts or SealingCounts()
        """What was done so far."""

    async def round(self) -> int:
        """Seal one block of each tenant that has something to seal, and sign what is due; returns the events sealed."""
        now = self._clock().timestamp()
        self._resting = {tenant: until for tenant, until in self._resting.items() if until > now}
        found = [row["tenant_id"] for row in await self._calls.fetch(_UNSEALED_TENANTS)]
        self._waiting = {tenant: self._waiting.get(tenant, now) for tenant in found}
        before = self.counts.events
        await self._each([tenant for tenant in found if tenant not in self._resting], self._seal)
        await self._each([tenant for tenant in self._unsigned if self._is_due(self._chains[tenant])], self._sign)
        self.counts.behind_seconds = int(now - min(self._waiting.values(), default=now))
        return self.counts.events - before

    async def hand_over(self) -> None:
        """Let the current key take over wherever another one signed last, so that older keys can be destroyed.

        Where a history was resumed last, whoever did may have died before the event that tells of it was written.
        """
        due = []
        for tenant in await asyncio.to_thread(lambda: list(self._store.tenants())):
            _, last = await asyncio.to_thread(self._store.last, tenant)
            if last is not None and (last.signs_next != self._keys.current.key_id or last.resumption is not None):
                due.append(tenant)
        await self._each(due, self._take)

    async def finish(self) -> None:
        """Sign what was sealed, and let others go on at once."""
        await self._each(list(self._unsigned), self._sign)
        await self._each(list(self._chains), self._release)

    async def _each(self, tenants: list[UUID], act: Callable[[UUID], Any]) -> None:
        """Act on tenants, a few at once; what fails with one tenant concerns no other."""
        waiting = iter(tenants)

        async def work() -> None:
            for tenant in waiting:
                try:
                    await act(tenant)
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ControlPlaneError, ValueError) as error:
                    self._fail(tenant, error)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._pace.tenants_at_once, len(tenants))):
                group.create_task(work())

    def _fail(self, tenant: UUID, error: Exception) -> None:
        """Forget how the tenant stands, since it may stand otherwise, and look again later."""
        held = self._chains.pop(tenant, None)
        self._unsigned.discard(tenant)
        cause = (refused(error) if isinstance(error, asyncpg.PostgresError) else None) or error
        if isinstance(cause, ControlPlaneError) and cause.code == "SEALER_STALE":
            self.counts.stale += 1
            return
        self._resting[tenant] = self._clock().timestamp() + self._pace.rest
        self.counts.failed += 1
        self.counts.last_error = f"{tenant}: {type(cause).__name__}: {cause}"
        _log.error("sealing failed, epoch %s, %s", held.epoch if held else None, self.counts.last_error)

    def _context(self, tenant: UUID) -> str:
        return self._mint.mint(tenant=tenant, actor=ACTOR)

    async def _take(self, tenant: UUID) -> _Chain | None:
        """Take a tenant, if no other sealer has it, and hold its chain against what was signed."""
        # Before the database is read, since what is signed is there already: the other way round, what another sealer
        # does in between would look like a database that lacks it.
        number, checkpoint = await asyncio.to_thread(self._store.last, tenant)
        row = await self._calls.fetchrow(_TAKE, self._context(tenant), self._epochs.get(tenant), self._pace.lease)
        if row is None or row["epoch"] is None:
            return None
        self._epochs[tenant] = row["epoch"]
        chain = _Chain(
            tenant=tenant,
            epoch=row["epoch"],
            position=row["position"],
            hash=row["hash"],
            tree=GrowingTree(size=row["blocks"], peaks=row["peaks"]),
            number=number,
            checkpoint=checkpoint,
        )
        if checkpoint is not None:
            try:
                await self._compare(chain, checkpoint)
            except ChainFault:
                # People may want to resume it, and would have to wait for as long as this sealer looks at it.
                await self._let_go(chain)
                raise
            # Before anything else is signed: whoever comes later sees the resumption no more.
            await tell_resumption(self._calls, self._context(tenant), chain.epoch, checkpoint)
            await self._hand_over(chain, checkpoint)
            if checkpoint.head.blocks > row["signed"]:
                await self._note_signed(chain, checkpoint)
        self._chains[tenant] = chain
        if chain.unsigned:
            self._unsigned.add(tenant)
        return chain

    async def _compare(self, chain: _Chain, checkpoint: Checkpoint) -> None:
        """Refuse a database that is behind what was signed, or beside it."""
        head = checkpoint.head
        if head.blocks > chain.tree.size or head.size > chain.position:
            detail = f"{head.size} events were signed, the database has {chain.position}"
            raise ChainFault("CHAIN_ROLLED_BACK", "kept checkpoint", head.size, detail)
        await check_root(self._calls, self._context(chain.tenant), head)

    async def _hand_over(self, chain: _Chain, last: Checkpoint) -> None:
        """Let the key whose turn it is name the one that signs from now on, if it is another."""
        signer = self._keys.whose_turn(last)
        if signer is not self._keys.current:
            successor = self._keys.current.public
            await self._keep(chain, sign(last.head, after=last, key=signer, at=self._clock(), successor=successor))

    async def _seal(self, tenant: UUID) -> None:
        chain = self._chains.get(tenant) or await self._take(tenant)
        if chain is None:
            self._waiting.pop(tenant, None)  # Another sealer has it, whose figures tell.
            return
        rows = await self._calls.fetch(_UNSEALED_EVENTS, self._context(tenant), self._pace.block_events)
        if not rows:
            return
        events = causes_first([_Event(row, row["event_id"], row["causation"]) for row in rows])
        await self._write(chain, events)

    async def _write(self, chain: _Chain, events: list[_Event]) -> None:
        first = chain.position + 1
        salts = self._random(32 * len(events))
        sealed: list[SealedEvent] = []
        for index, event in enumerate(events):
            opening = Opening(salts[32 * index : 32 * index + 32], event.row["payload"].encode())
            sealed.append(seal_header(header_of(event.row, tenant=chain.tenant, position=first + index), opening))
        block = SealedBlock.of(
            Block(
                tenant=chain.tenant,
                number=chain.tree.size + 1,
                first=first,
                count=len(sealed),
                root=root_of([one.leaf for one in sealed]),
                previous=chain.hash if chain.tree.size else NOTHING,
                sealed_at=microseconds(self._clock()),
            )
        )
        tree = GrowingTree(size=chain.tree.size, peaks=chain.tree.peaks)
        tree.append(block.hash)
        await self._calls.fetchval(
            _SEAL,
            self._context(chain.tenant),
            chain.epoch,
            self._pace.lease,
            block.block.number,
            block.block.first,
            block.block.root,
            block.block.previous,
            block.block.sealed_at,
            block.hash,
            tree.root(),
            list(tree.peaks),
            [event.row["transaction"] for event in events],
            [event.row["ordinal"] for event in events],
            [event.id for event in events],
            [one.opening.salt for one in sealed if one.opening],
            [one.commitment for one in sealed],
            [one.leaf for one in sealed],
        )
        chain.position, chain.hash, chain.tree = block.block.last, block.hash, tree
        self._waiting.pop(chain.tenant, None)
        self._unsigned.add(chain.tenant)
        self.counts.events += len(events)
        self.counts.blocks += 1

    def _is_due(self, chain: _Chain) -> bool:
        if chain.tenant in self._resting:
            return False
        return chain.signed_at is None or (self._clock() - chain.signed_at).total_seconds() >= self._pace.sign

    async def _sign(self, tenant: UUID) -> None:
        chain = self._chains[tenant]
        chain.signed_at = self._clock()
        checkpoint = sign(chain.head, after=chain.checkpoint, key=self._keys.current, at=chain.signed_at)
        await self._keep(chain, checkpoint)
        await self._note_signed(chain, checkpoint)
        self._unsigned.discard(tenant)

    async def _keep(self, chain: _Chain, checkpoint: Checkpoint) -> None:
        try:
            await asyncio.to_thread(self._store.put, chain.number + 1, checkpoint)
        except PlaceTakenError:
            raise ControlPlaneError("SEALER_STALE", "another sealer has signed") from None
        chain.number, chain.checkpoint = chain.number + 1, checkpoint
        self.counts.checkpoints += 1

    async def _note_signed(self, chain: _Chain, checkpoint: Checkpoint) -> None:
        await self._calls.fetchval(_NOTE_SIGNED, self._context(chain.tenant), chain.epoch, checkpoint.head.blocks)

    async def _release(self, tenant: UUID) -> None:
        await self._let_go(self._chains.pop(tenant))

    async def _let_go(self, chain: _Chain) -> None:
        await self._calls.fetchval(_RELEASE, self._context(chain.tenant), chain.epoch)


async def run_sealer(
    database: Database,
    mint: ContextMint,
    keys: SigningKeys,
    store: CheckpointStore,
    *,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    stop: asyncio.Event,
    pace: SealingPace | None = None,
    counts: SealingCounts | None = None,
) -> SealingCounts:
    """Seal until `stop` is set; returns what was done, which `counts` tells meanwhile.

    `database` is of the role parpour_sealer, and `mint` mints with a key of that role. `random` gives so many bytes
    that nobody can guess.
    """
    pace = pace or SealingPace()
    sealer = Sealer(database.pool, mint, keys, store, clock=clock, random=random, pace=pace, counts=counts)
    await sealer.hand_over()
    while not stop.is_set():
        try:
            sealed = await sealer.round()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            sealer.counts.failed += 1
            sealer.counts.last_error = f"{type(error).__name__}: {error}"
            _log.error("no tenants were found to seal: %s", sealer.counts.last_error)
            sealed = 0
        if sealed < pace.block_events:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pace.look)
    await sealer.finish()
    return sealer.counts
