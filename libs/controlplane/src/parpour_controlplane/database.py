"""Connections of a service, and transactions in a tenant's name.

Whose a transaction is lives exactly as long as the transaction: nothing is ever set on a session, so session and
transaction poolers serve alike (PgBouncer from 1.21 on with `max_prepared_statements`; not in statement mode). Whether
one in between serves is tried once, at the start: in the midst of work it would fail now and then, in many ways.
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

POOLER_SECONDS = 2.0
"""How long a pooler may let a client wait for a session when it is tried."""

COMMAND_SECONDS = 40.0
"""Longer than the statement timeout of the roles, so that the server says what took too long."""

_BEGIN = "begin isolation level repeatable read read only"
_ENTER = "select controlplane.enter($1)"
"""A context is always a parameter: pg_stat_activity shows the text of a statement to every session of the same role,
and whoever reads a context there is its tenant for a minute."""

_NO_TRANSACTIONS = "not allowed in statement pooling"
"""What PgBouncer says at its end of a connection that begins a transaction."""

_UNFIT = (
    "the pooler before the database loses prepared statements, or allows no transactions: let it pool sessions, or "
    "transactions with max_prepared_statements (PgBouncer from 1.21 on)"
)

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
                    await connection.execute(_BEGIN)
                    await connection.fetchval(_ENTER, context)
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


async def _serves(pool: Pool[Record], dsn: str, password: str | None) -> bool:
    """Whether prepared statements reach the session that has them.

    Behind a pooler a session is another process than the one that was named when it began. Then a second client takes
    the session that the first one has just used, if it may, and the first one asks for its statement again.
    """
    async with pool.acquire() as first:
        try:
            async with first.transaction():
                if await first.fetchval("select pg_backend_pid()") == first.get_server_pid():
                    return True
            kept = await first.prepare("select 1")
            # Once, so that the session is free again for others, if it is ever to be.
            await kept.fetchval()
            async with _taken(dsn, password) as free:
                return not free or await kept.fetchval(timeout=POOLER_SECONDS) == 1
        except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError, TimeoutError):
            # It has another session for the first one now, or had no more than the one that the second has.
            return False
        except asyncpg.ConnectionDoesNotExistError as error:
            if _NO_TRANSACTIONS in str(error):
                return False
            raise


@asynccontextmanager
async def _taken(dsn: str, password: str | None) -> AsyncIterator[bool]:
    """A session that another client has for the block; false if there is none free."""
    connection, free = None, True
    try:
        try:
            connection = await asyncpg.connect(
                dsn, password=password, timeout=POOLER_SECONDS, command_timeout=POOLER_SECONDS
            )
            await connection.execute("begin")
        except TimeoutError:
            free = False
        yield free
    finally:
        if connection is not None:
            connection.terminate()


async def _as_it_is(_connection: object) -> None:
    """What the pool does to a connection that comes back, beside rolling back what is open.

    A call of a function sets nothing on the session, so there is nothing to undo, and each batch saves a round trip.
    """


def _unavailable(error: Exception) -> ControlPlaneError:
    return ControlPlaneError("DATABASE_UNAVAILABLE", f"{type(error).__name__}: {error}")


@asynccontextmanager
async def open_database(
    dsn: str, *, connections: int = CONNECTIONS, password: str | None = None
) -> AsyncIterator[Database]:
    """A database that the connection's role may use, until the end of the block.

    A password that is given wins over one in the address.

    Raises:
        ControlPlaneError: DATABASE_UNAVAILABLE or DATABASE_POOLER_UNFIT.
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
        raise _unavailable(error) from error
    try:
        try:
            serves = await _serves(pool, dsn, password)
        except (TimeoutError, OSError, asyncpg.PostgresError) as error:
            raise _unavailable(error) from error
        if not serves:
            raise ControlPlaneError("DATABASE_POOLER_UNFIT", _UNFIT)
        yield Database(pool)
    finally:
        await pool.close()
