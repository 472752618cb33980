"""Where a process dies: every effect of a component passes a fuse, which blows at the one that a seed has chosen.

An effect is a call to the database, to a provider, to the bus or to the store of checkpoints, or a point that the code
names. Before an effect nothing of it was done; after it all was done and nobody was told. A component dies with all its
tasks: what is in flight then may be done or not, and nothing else follows.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")

_NAME = re.compile(r"(?:treasury|controlplane|torture)\.(\w+)")


class Killed(BaseException):
    """What stands for the end of a process."""


@dataclass(frozen=True)
class Strike:
    """What befalls one effect of a component."""

    component: str
    at: int
    """Which effect, from 1; of those of `name`, if that is given."""
    after: bool
    """The effect is done, and its answer is lost."""
    cut: bool = False
    """Only the connection is lost, and the process lives."""
    name: str = ""


@dataclass
class Fuse:
    """Counts the effects of all components, and strikes once."""

    strike: Strike | None = None
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    blown: str = ""
    """The effect that was struck."""
    _count: int = 0

    def strikes(self, component: str, name: str) -> Strike | None:
        """Note an effect; the strike, if this is the one."""
        self.seen[component, name] += 1
        strike = self.strike
        if strike is None or self.blown or strike.component != component or (strike.name and strike.name != name):
            return None
        self._count += 1
        if self._count != strike.at:
            return None
        self.blown = name
        return strike


class Life:
    """One process of a component, from its start to its death."""

    def __init__(self, component: str, fuse: Fuse) -> None:
        self.component = component
        self._fuse = fuse
        self.alive = True
        self.ended = asyncio.Event()

    def point(self, name: str) -> None:
        """A point that the code names.

        Raises:
            Killed: if the process dies here, or has died.
        """
        self._check()
        strike = self._fuse.strikes(self.component, name)
        if strike is not None and not strike.cut:
            self.die()

    async def around(self, name: str, effect: Callable[[], Awaitable[Any]], *, lost: Callable[[], Exception]) -> Any:
        """Do an effect.

        Raises:
            Killed: if the process dies here, or has died.
            Exception: what `lost` makes, where the connection alone is lost.
        """
        self._check()
        strike = self._fuse.strikes(self.component, name)
        if strike is not None and not strike.after:
            self._blow(strike, lost)
        result = await effect()
        if strike is not None:
            self._blow(strike, lost)
        self._check()
        return result

    def _blow(self, strike: Strike, lost: Callable[[], Exception]) -> None:
        if strike.cut:
            raise lost()
        self.die()

    def die(self) -> None:
        """The process ends now.

        Raises:
            Killed: always.
        """
        self.end()
        raise Killed

    def end(self) -> None:
        """The process ends from outside: whatever it does next is not done."""
        self.alive = False
        self.ended.set()

    async def answered(self, asked: Coroutine[Any, Any, T]) -> T:
        """The answer of the process to somebody outside of it, which comes if it lives until then.

        Raises:
            Killed: if it does not: the connection to it breaks, whatever its tasks still wait for.
        """
        self._check()
        task, ended = asyncio.ensure_future(asked), asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
            self._check()
            return await task
        finally:
            for one in (task, ended):
                one.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    def _check(self) -> None:
        if not self.alive:
            raise Killed

    def object(self, target: Any, *names: str, lost: Callable[[], Exception] = ConnectionResetError) -> Any:
        """The target, with these of its methods passing the fuse."""
        return _Wrapped(self, target, names, lost)


class _Wrapped:
    def __init__(self, life: Life, target: Any, names: tuple[str, ...], lost: Callable[[], Exception]) -> None:
        self._life, self._target, self._names, self._lost = life, target, names, lost

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if name not in self._names:
            return method
        if asyncio.iscoroutinefunction(method):

            async def call(*arguments: Any, **options: Any) -> Any:
                return await self._life.around(name, lambda: method(*arguments, **options), lost=self._lost)

            return call

        def call_at_once(*arguments: Any, **options: Any) -> Any:
            self._life.point(f"{name} begins")
            result = method(*arguments, **options)
            self._life.point(f"{name} done")
            return result

        return call_at_once


def lost_connection() -> Exception:
    """What the driver says of a session that ended meanwhile."""
    return asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


def effect_of(query: str) -> str:
    """What a query is called: the first function or table that it names."""
    found = _NAME.search(query)
    return found[1] if found else query.split()[0]


class CutPool:
    """A pool of connections of one process."""

    def __init__(self, life: Life, pool: Any) -> None:
        self._life = life
        self._pool = pool

    def acquire(self) -> _Acquired:
        """A connection for a block."""
        return _Acquired(self._life, self._pool.acquire())

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await _ask(self._life, self._pool.fetch, query, arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await _ask(self._life, self._pool.fetchrow, query, arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await _ask(self._life, self._pool.fetchval, query, arguments)


async def _ask(life: Life, method: Callable[..., Awaitable[Any]], query: str, arguments: tuple[Any, ...]) -> Any:
    return await life.around(effect_of(query), lambda: method(query, *arguments), lost=lost_connection)


class _Acquired:
    def __init__(self, life: Life, acquiring: Any) -> None:
        self._life = life
        self._acquiring = acquiring

    async def __aenter__(self) -> CutConnection:
        return CutConnection(self._life, await self._acquiring.__aenter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._acquiring.__aexit__(kind, error, trace)


class CutConnection(CutPool):
    """One session, whose commits are effects too."""

    def __init__(self, life: Life, connection: Any) -> None:
        super().__init__(life, connection)
        self._connection = connection

    async def execute(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await _ask(self._life, self._connection.execute, query, arguments)

    def transaction(self) -> _Transaction:
        """See asyncpg."""
        return _Transaction(self._life, self._connection.transaction())

    def is_closed(self) -> bool:
        """See asyncpg."""
        return bool(self._connection.is_closed())

    def terminate(self) -> None:
        """See asyncpg."""
        self._connection.terminate()

    def get_reset_query(self) -> str:
        """See asyncpg."""
        return str(self._connection.get_reset_query())


class _Transaction:
    def __init__(self, life: Life, transaction: Any) -> None:
        self._life = life
        self._transaction = transaction

    async def __aenter__(self) -> None:
        await self._transaction.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            await self._roll_back()
            return
        done = False

        async def commit() -> None:
            nonlocal done
            done = True
            await self._transaction.commit()

        try:
            await self._life.around("commit", commit, lost=lost_connection)
        finally:
            if not done:
                await self._roll_back()

    async def _roll_back(self) -> None:
        try:
            await self._transaction.rollback()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # The server is gone, and what was open with it.
            return
