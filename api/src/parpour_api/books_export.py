"""Downloads of a tenant's books in the languages of hledger, ledger and beancount, all of one moment.

The text is made whole before the first byte is sent, in a file that nobody else sees: a slow reader must hold neither a
connection of the database nor its transaction. Journals are read and written page by page, so books of any length take
the memory of a page.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from parpour_api.errors import ApiError
from parpour_controlplane.database import Database
from parpour_treasury import exports, reading
from parpour_treasury.books import Account, Balance, Journal

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

PAGE = 500
CHUNK_BYTES = 64 * 1024
MEMORY_BYTES = 1 << 20
"""An export beyond this goes to disk."""

AT_ONCE = 2
"""Exports that one process makes at a time."""

Write = Callable[[Sequence[Account], Iterable[Journal], Sequence[Balance]], Iterator[str]]


class Language(StrEnum):
    """Programs of accounts."""

    HLEDGER = "hledger"
    LEDGER = "ledger"
    BEANCOUNT = "beancount"


LANGUAGES: dict[Language, tuple[Write, str]] = {
    Language.HLEDGER: (exports.hledger, "journal"),
    Language.LEDGER: (exports.ledger, "ledger"),
    Language.BEANCOUNT: (exports.beancount, "beancount"),
}
"""What writes each, and how its files end."""


class Exports:
    """Makes exports, a few at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._free = AT_ONCE

    async def make(self, language: Language, context: str) -> IO[bytes]:
        """The export as a file, at its start.

        Raises:
            ApiError: API_BUSY.
        """
        if not self._free:
            raise ApiError("API_BUSY", retry_after=1)
        self._free -= 1
        try:
            async with self._database.transaction(context) as connection:
                return await _written(connection, LANGUAGES[language][0])
        finally:
            self._free += 1


async def _written(connection: type_of_connection, write: Write) -> IO[bytes]:
    accounts: list[Account] = []
    while page := await reading.page_of_accounts(
        connection, after=accounts[-1].account if accounts else 0, before=reading.NUMBER_END, limit=PAGE
    ):
        accounts += page
    balances = [Balance(one.account, one.code, one.kind, one.currency, one.posted) for one in accounts]
    stopped = threading.Event()
    journals = _journals(connection, asyncio.get_running_loop(), stopped)
    work = asyncio.ensure_future(asyncio.to_thread(_spooled, write(accounts, journals, balances)))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # The page that is being read ends before somebody else gets the connection.
        stopped.set()
        with suppress(_Stopped):
            (await work).close()
        raise


class _Stopped(Exception):
    """Nobody waits for the file any more."""


def _journals(
    connection: type_of_connection, loop: asyncio.AbstractEventLoop, stopped: threading.Event
) -> Iterator[Journal]:
    """Every journal, for a thread beside the loop that has the connection."""
    after = 0
    while found := asyncio.run_coroutine_threadsafe(
        reading.page_of_journals(connection, after=after, before=reading.NUMBER_END, limit=PAGE), loop
    ).result():
        if stopped.is_set():
            raise _Stopped
        yield from found
        after = found[-1].number


def _spooled(lines: Iterable[str]) -> IO[bytes]:
    file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  (whoever sends it closes it)
    try:
        for one in lines:
            file.write(one.encode())
            file.write(b"\n")
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file in parts; closed at the end."""
    try:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
