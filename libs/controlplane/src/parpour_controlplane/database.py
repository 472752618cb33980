"""Connections of a service, and transactions in a tenant's name.

Whose a transaction is lives exactly as long as the transaction: nothing is ever set on a session, so session and
transaction poolers serve alike (PgBouncer from 1.21 on with `max_prepared_statements`; not in statement mode).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from parpour_controlplane.errors import CONTEXT_CODES, ControlPlaneError

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record
    from asyncpg.pool import PoolConnectionProxy

    type_of_connection = Connection[Record] | PoolConnectionProxy[Record]

CONNECTIONS = 8
"""Connections of one process: a batch in flight takes one, and PostgreSQL works best with few."""

COMMAND_SECONDS = 40.0
"""Longer than the statement timeout of the roles, so that the server says what took too long."""

_ENTER = (
    "begin isolation level repeatable read read only; "
    "select controlplane.enter(convert_from(decode('{}', 'hex'), 'UTF8'))"
)
"""Begins a reader's transaction in one round trip. A context stands in it as hexadecimal digits, which end no text."""

_CHECK_SESSION = "select controlplane.check_session()"

# Classes of SQLSTATE after which the same call may well succeed: connection, transaction rollback, resources,
# operator's intervention, system error; and a lock that was not to be had in time.
_TRANSIENT_CLASSES = ("08", "40", "53", "57", "58")
_TRANSIENT_STATES = ("55P03", "25006")


def is_transient(error: BaseException) -> bool:
    """Whether the call may succeed if it is made again, and may have succeeded already."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state.startswith(_TRANSIENT_CLASSES) or state in _TRANSIENT_STATES
    if isinstance(error, asyncpg.InterfaceError):
        # A connection that was lost, and not a value that cannot be sent.
        return not isinstance(error, ValueError)
    # The driver's own confusion over a connection that the server has ended meanwhile.
    return isinstance(error, asyncpg.InternalClientError | OSError | TimeoutError)


class Database:
    """A pool of connections of one role to one database."""

    def __init__(self, pool: Pool[Record]) -> None:
        self._pool = pool

    @property
    def pool(self) -> Pool[Record]:
        """The connections themselves, for calls that carry their context with them."""
        return self._pool

    @asynccontextmanager
    async def transaction(self, context: str) -> AsyncIterator[type_of_connection]:
        """A read-only transaction that sees the tenant of `context` and no other, all of one moment.

        Raises:
            ControlPlaneError: CONTEXT_MISSING, CONTEXT_REFUSED or CONTEXT_EXPIRED.
        """
        async with self._pool.acquire() as connection:
            try:
                try:
                    await connection.execute(_ENTER.format(context.encode().hex()))
                except asyncpg.PostgresError as error:
                    raise translated(error) from None
                yield connection
            finally:
                await _end(connection)


def translated(error: asyncpg.PostgresError) -> Exception:
    """A refused context (SQLSTATE class PC, the code as message) as its value; any other error as it is."""
    if (error.sqlstate or "").startswith("PC") and error.message in CONTEXT_CODES:
        return ControlPlaneError(error.message, error.detail or "")
    return error


async def _end(connection: type_of_connection) -> None:
    """End a reader's transaction, and take from its session what its SQL has set on it, in one round trip.

    A session that cannot be cleared is not used again; the pool itself does not see to that. The query has no
    parameters, so no kept statement stands between.
    """
    if connection.is_closed():
        return
    try:
        await connection.execute(f"rollback;{connection.get_reset_query()}{_CHECK_SESSION}")
    except BaseException:
        connection.terminate()
        raise


async def _as_it_is(_connection: object) -> None:
    """What the pool does to a connection that comes back, beside rolling back what is open.

    A call of a function sets nothing on the session, so there is nothing to undo, and each batch saves a round trip.
    """


@asynccontextmanager
async def open_database(
    dsn: str, *, connections: int = CONNECTIONS, password: str | None = None
) -> AsyncIterator[Database]:
    """A database that the connection's role may use, until the end of the block.

    A password that is given wins over one in the address.

    Raises:
        ControlPlaneError: DATABASE_UNAVAILABLE.
    """
    try:
        pool = await asyncpg.create_pool(
            dsn,
            password=password,
            min_size=1,
            max_size=connections,
            command_timeout=COMMAND_SECONDS,
            server_settings={"timezone": "UTC"},
            reset=_as_it_is,
        )
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise ControlPlaneError("DATABASE_UNAVAILABLE", f"{type(error).__name__}: {error}") from error
    try:
        yield Database(pool)
    finally:
        await pool.close()
