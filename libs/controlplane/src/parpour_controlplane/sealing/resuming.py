"""Lets a history go on after a restore: people sign that what was signed is lost, for everybody to see.

A database that is behind the last checkpoint is sealed no further, because nobody but those who restored it can tell a
restore from an attack. What they say is a checkpoint itself, a resumption: it follows the last one and covers what the
database has. It is one write to the store under the next number, so whoever is late, or was paused, finds the place
taken; the chain is taken only so that no sealer looks at it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from parpour_controlplane.calls import Calls, Row, refused
from parpour_controlplane.chain.checkpoints import BY_MAX, REASON_MAX, Checkpoint, TreeHead, given_up, resume
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.chain.merkle import EMPTY, GrowingTree
from parpour_controlplane.context import ContextMint
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.stores import CheckpointStore, PlaceTakenError

ACTOR = "system:sealer"

LEASE_SECONDS = 10.0
"""For how long the chain is taken."""
TRIES, TRY_SECONDS = 60, 0.25
"""How often it is asked for, and how long between: longer than a sealer that died holds it."""

_EXTENT = 'select "position" from controlplane.chain_extent($1)'
_TAKE = "select * from controlplane.take_chain($1, null, $2)"
_RELEASE = "select controlplane.release_chain($1, $2)"
_HEAD_ROOT = "select controlplane.head_root($1, $2)"
_TELL = "select controlplane.tell_resumption($1, $2, $3, $4, $5, $6, $7)"


@dataclass(frozen=True)
class Resumed:
    """A history that goes on, or would."""

    tenant: UUID
    first: int
    last: int
    """Positions that were signed and are lost; events that come will have them."""
    checkpoint: str | None
    """Hash of the resumption, by which verifiers accept it; None if nothing was signed."""
    before: bool = False
    """It had been resumed already."""


class Resuming:
    """Looks for tenants whose database is behind what was signed, and resumes them."""

    def __init__(
        self,
        calls: Calls,
        mint: ContextMint,
        keys: SigningKeys,
        store: CheckpointStore,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """`calls` are of the role parpour_sealer, and `mint` mints with a key of that role."""
        self._calls = calls
        self._mint = mint
        self._keys = keys
        self._store = store
        self._clock = clock

    async def behind(self) -> list[UUID]:
        """Tenants that are behind what was signed, and those that were resumed and have signed nothing since.

        And those whose last checkpoint cannot be read: nobody can tell, so whoever resumes them is told why.
        """
        found = []
        for tenant in await asyncio.to_thread(lambda: list(self._store.tenants())):
            try:
                _, last = await asyncio.to_thread(self._store.last, tenant)
            except ControlPlaneError:
                found.append(tenant)
                continue
            if last is not None and (last.resumption is not None or await self._position(tenant) < last.head.size):
                found.append(tenant)
        return found

    async def examine(self, tenant: UUID) -> Resumed:
        """What resuming a tenant would lose; nothing is written.

        Raises:
            ControlPlaneError: HISTORY_NOT_BEHIND or CHECKPOINT_UNREADABLE.
            ChainFault: CHAIN_FORKED, if the database is not an older state of what was signed.
        """
        checkpoints = await asyncio.to_thread(self._store.read, tenant)
        position = await self._position(tenant)
        checkpoint = await self._check(tenant, checkpoints, position)
        if checkpoint.head.size <= position:
            return _resumed(checkpoint, before=True)
        return Resumed(tenant, position + 1, checkpoint.head.size, None)

    async def resume(self, tenant: UUID, *, by: str, reason: str) -> Resumed:
        """Sign that a tenant's history goes on from what the database has, and write the event that tells of it.

        Raises:
            ControlPlaneError: HISTORY_NOT_BEHIND; RESUMPTION_MALFORMED, if too little or too much is said of it;
                SEALER_BUSY, if another process has the tenant; RESUMPTION_OVERTAKEN, if somebody signed meanwhile;
                SIGNING_KEY_MISSING or CHECKPOINT_UNREADABLE.
            ChainFault: CHAIN_FORKED, if the database is not an older state of what was signed.
        """
        _check_said(by, BY_MAX, "by whom")
        _check_said(reason, REASON_MAX, "why")
        # Before the chain is taken, which a sealer has for as long as it is not refused.
        await self.examine(tenant)
        # The store is read before the database, as the sealer does.
        checkpoints = await asyncio.to_thread(self._store.read, tenant)
        row = await self._take(tenant)
        try:
            checkpoint = await self._check(tenant, checkpoints, row["position"])
            before = checkpoint.head.size <= row["position"]
            if not before:
                checkpoint = self._signed(row, tenant, after=checkpoint, by=by, reason=reason)
                await self._put(len(checkpoints) + 1, checkpoint)
            await tell_resumption(self._calls, self._context(tenant), row["epoch"], checkpoint)
            return _resumed(checkpoint, before=before)
        finally:
            await self._calls.fetchval(_RELEASE, self._context(tenant), row["epoch"])

    def _context(self, tenant: UUID) -> str:
        return self._mint.mint(tenant=tenant, actor=ACTOR)

    async def _position(self, tenant: UUID) -> int:
        return await self._calls.fetchval(_EXTENT, self._context(tenant)) or 0

    async def _take(self, tenant: UUID) -> Row:
        for _ in range(TRIES):
            row = await self._calls.fetchrow(_TAKE, self._context(tenant), LEASE_SECONDS)
            if row is not None and row["epoch"] is not None:
                return row
            await asyncio.sleep(TRY_SECONDS)
        raise ControlPlaneError("SEALER_BUSY", f"{tenant}: another process has taken it")

    async def _check(self, tenant: UUID, checkpoints: Sequence[Checkpoint], position: int) -> Checkpoint:
        """The last checkpoint: one that the database is an older state of, or by which it was resumed."""
        last = checkpoints[-1] if checkpoints else None
        if last is None or (last.head.size <= position and last.resumption is None):
            detail = f"{tenant}: {last.head.size if last else 0} events were signed, the database has {position}"
            raise ControlPlaneError("HISTORY_NOT_BEHIND", detail)
        # None that a resumption let go of: that resumption comes after it, and covers fewer events.
        latest = next((one for one in reversed(checkpoints) if one.head.size <= position), None)
        if latest is not None:
            await check_root(self._calls, self._context(tenant), latest.head)
        for one in given_up(checkpoints):
            root = await self._calls.fetchval(_HEAD_ROOT, self._context(tenant), one.head.blocks)
            if root == one.head.root:
                detail = "the database has what an earlier resumption let go of"
                raise ChainFault("CHAIN_FORKED", "kept checkpoint", one.head.size, detail)
        return last

    def _signed(self, row: Row, tenant: UUID, *, after: Checkpoint, by: str, reason: str) -> Checkpoint:
        """The resumption of what the database has."""
        head = TreeHead(
            tenant, row["position"], row["blocks"], GrowingTree(size=row["blocks"], peaks=row["peaks"]).root()
        )
        if head.blocks >= after.head.blocks:
            raise ChainFault("CHAIN_FORKED", "kept checkpoint", after.head.size)
        return resume(head, after=after, key=self._keys.whose_turn(after), at=self._clock(), by=by, reason=reason)

    async def _put(self, number: int, resumption: Checkpoint) -> None:
        try:
            await asyncio.to_thread(self._store.put, number, resumption)
        except PlaceTakenError:
            detail = f"{resumption.head.tenant}: somebody else has signed checkpoint {number} meanwhile"
            raise ControlPlaneError("RESUMPTION_OVERTAKEN", detail) from None


async def check_root(calls: Calls, context: str, head: TreeHead) -> None:
    """Refuse a database whose blocks are others than those of a head.

    Raises:
        ChainFault: CHAIN_FORKED.
    """
    root = await calls.fetchval(_HEAD_ROOT, context, head.blocks) if head.blocks else EMPTY
    if root != head.root:
        raise ChainFault("CHAIN_FORKED", "kept checkpoint", head.size)


async def tell_resumption(calls: Calls, context: str, epoch: int, checkpoint: Checkpoint) -> bool:
    """Write the event that tells of a resumption, once; False if there was none to write.

    Raises:
        ControlPlaneError: SEALER_STALE, if another process has taken the tenant.
    """
    said = checkpoint.resumption
    if said is None:
        return False
    lost = (checkpoint.head.size + 1, said.lost)
    try:
        return bool(await calls.fetchval(_TELL, context, epoch, checkpoint.hash, *lost, said.by, said.reason))
    except asyncpg.PostgresError as error:
        raise refused(error) or error from None


def _check_said(text: str, most: int, what: str) -> None:
    if not text.strip() or len(text) > most or not text.isprintable():
        raise ControlPlaneError("RESUMPTION_MALFORMED", f"say {what} in 1 to {most} printable characters")


def _resumed(checkpoint: Checkpoint, *, before: bool = False) -> Resumed:
    lost = checkpoint.resumption.lost if checkpoint.resumption else checkpoint.head.size
    return Resumed(checkpoint.head.tenant, checkpoint.head.size + 1, lost, checkpoint.hash.hex(), before)
