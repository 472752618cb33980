"""Downloads of a tenant's books in the languages of hledger, ledger and beancount, all of one moment.

The text is made whole before the first byte is sent, in a file that nobody else sees: a slow reader must hold neither a
connection of the database nor its transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
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
    journals: list[Journal] = []
    while found := await reading.page_of_journals(
        connection, after=journals[-1].number if journals else 0, before=reading.NUMBER_END, limit=PAGE
    ):
        journals += found
    balances = [Balance(one.account, one.code, one.kind, one.currency, one.posted) for one in accounts]
    return await asyncio.to_thread(_spooled, write(accounts, journals, balances))


def _spooled(lines: Iterable[str]) -> IO[bytes]:
    file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  (whoever sends it closes it)
    for one in lines:
        file.write(one.encode())
        file.write(b"\n")
    file.seek(0)
    return file


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file in parts; closed at the end."""
    try:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
