"""Verified contexts: the proof that a transaction belongs to a tenant.

The service that has checked a caller's token mints one for each call and hands it to the database, which verifies it
there with its own copy of the key (migration 0001_tenants). A key counts only in sessions of one role, so that what
leaks from one process is of no use in another's session.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.migrations import OWNER, sql

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SEVERAL = "several:"
"""How the actor of a context begins that speaks for several; the digest of their list follows."""

LIFE_SECONDS = 60
"""How long a context lives: longer than any transaction, shorter than a log that leaks is read."""

ACTOR_BYTES = 200
"""Longest actor."""

SECRET_BYTES_MIN = 32
"""Shortest secret: as long as its digest. An empty one, of a setting that was forgotten, would let anyone mint."""

_BLOCK = 64


@dataclass(frozen=True)
class ContextKey:
    """A key of contexts, for the sessions of one role."""

    key_id: str
    role: str
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < SECRET_BYTES_MIN:
            raise ValueError(f"a secret has at least {SECRET_BYTES_MIN} bytes: this one could be guessed")

    def __repr__(self) -> str:
        return f"ContextKey(key_id={self.key_id!r}, role={self.role!r})"

    def pads(self) -> tuple[bytes, bytes]:
        """The key's inner and outer padded form (RFC 2104), which is all that the database needs."""
        block = hashlib.sha256(self.secret).digest() if len(self.secret) > _BLOCK else self.secret
        block = block.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def checked_actor(actor: str) -> str:
    """The actor, if it is one.

    Raises:
        ValueError: if it is empty, too long, or not printable.
    """
    if not actor.isprintable() or not 1 <= len(actor.encode()) <= ACTOR_BYTES:
        raise ValueError(f"not an actor: {actor!r}")
    return actor


class ContextMint:
    """Mints contexts with one key and one clock."""

    def __init__(self, key: ContextKey, *, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def mint(self, *, tenant: UUID, actor: str) -> str:
        """A context for `actor` in `tenant`, for the next `LIFE_SECONDS`.

        Raises:
            ValueError: if the actor is empty, too long, or not printable.
        """
        if actor.startswith(SEVERAL):
            raise ValueError(f"not an actor: {actor!r}")
        return self._mint(tenant, checked_actor(actor))

    def mint_several(self, *, tenant: UUID, actors: Sequence[str]) -> str:
        """A context for the commands of several actors in `tenant`, one actor a command, in their order.

        Raises:
            ValueError: if an actor is no single line.
        """
        if any("\n" in actor for actor in actors):
            raise ValueError("an actor is one line")
        digest = hashlib.sha256("\n".join(actors).encode()).hexdigest()
        return self._mint(tenant, SEVERAL + digest)

    def _mint(self, tenant: UUID, actor: str) -> str:
        body = f"v1|{self._key.key_id}|{tenant}|{int(self._clock()) + LIFE_SECONDS}|{actor}"
        return hmac.new(self._key.secret, body.encode(), hashlib.sha256).hexdigest() + body


async def install_key(connection: Connection[Record], key: ContextKey, *, expires_at: datetime) -> None:
    """Make a key known to the database, or move its end; the connection's role must be a member of `parpour_owner`.

    Raises:
        ControlPlaneError: CONTEXT_KEY_TAKEN, if another key is known under its id.
    """
    inner, outer = key.pads()
    async with connection.transaction():
        await connection.execute(f"set local role {OWNER}")
        installed = await connection.fetchval(
            sql("parpour_controlplane", "install_context_key.sql"),
            key.key_id,
            key.role,
            inner,
            outer,
            expires_at.astimezone(UTC),
        )
    if not installed:
        raise ControlPlaneError("CONTEXT_KEY_TAKEN", f"another key is known as {key.key_id}: give this one another id")
