"""What a payment worker keeps outside the database: how far the database was when it last allowed a payment.

The token of a tenant is on the disk before the provider is called. One lock is held from the reading of a token, over
the database's count, to the writing of the next: two workers that share the folder never count against a token that the
other one is about to replace. The folder must not be in the database's backup, or both forget together.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.refusals import TreasuryError

LOCK_PAUSE = 0.005
"""Seconds between two tries for a token that another process holds."""


@dataclass(frozen=True, slots=True)
class Token:
    """How far a database was: `counter` payments within `epoch`."""

    epoch: int
    epoch_id: UUID
    counter: int


def judge(token: Token | None, database: Token | None, *, began: int = 0, locked: bool) -> str | None:
    """Why nothing may be sent; None if it may. treasury.judge_dispatch says the same, and a test holds them together.

    Args:
        token: what the worker kept; None if it has nothing.
        database: what the database says; None if nothing was ever sent from it.
        began: the database's counter when its epoch began.
        locked: whether people, or a worker, locked it.
    """
    if locked:
        return "DISPATCH_LOCKED"
    if token is None:
        # A worker that lost its token goes on after people have unlocked, and nobody has sent since.
        return None if database is None or database.counter <= began else "DISPATCH_TOKEN_MISSING"
    if database is None or token.epoch > database.epoch:
        return "DISPATCH_ROLLED_BACK"
    if token.epoch < database.epoch:
        # People have unlocked since: only that begins an epoch.
        return None
    if token.epoch_id != database.epoch_id:
        return "DISPATCH_FORKED"
    return "DISPATCH_ROLLED_BACK" if token.counter > database.counter else None


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token that nobody else reads for counting, or writes, meanwhile."""

    path: Path
    token: Token | None

    def keep(self, token: Token) -> None:
        """Keep a token, so that it survives whatever happens after this returns; one that is behind changes nothing.

        Raises:
            TreasuryError: DISPATCH_TOKEN_MISSING, if it cannot be kept: then nothing may be sent.
        """
        known = self.token
        if known is not None and (token.epoch, token.counter) <= (known.epoch, known.counter):
            return
        try:
            _write(self.path, token)
        except OSError as error:
            raise _unusable(f"the token cannot be kept: {error.strerror}") from None


class TokenFile:
    """Tokens of payment workers, one a tenant, in a folder that they share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[UUID, asyncio.Lock] = {}

    def read(self, tenant: UUID) -> Token | None:
        """The token of a tenant; None if there is none.

        Raises:
            TreasuryError: DISPATCH_TOKEN_MISSING, if there is one that cannot be read: it is not as if there were none.
        """
        return _read(self._path(tenant))

    @asynccontextmanager
    async def held(self, tenant: UUID) -> AsyncIterator[HeldToken]:
        """The token of a tenant, for this block alone: among the tasks of this process, and among processes.

        Raises:
            TreasuryError: DISPATCH_TOKEN_MISSING, as `read` does.
        """
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            try:
                file = os.open(self._folder / f"{tenant}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            except OSError as error:
                raise _unusable(f"the token cannot be held: {error.strerror}") from None
            try:
                while not _locked(file):  # noqa: ASYNC110 - another process may hold it
                    await asyncio.sleep(LOCK_PAUSE)
                yield HeldToken(self._path(tenant), self.read(tenant))
            finally:
                os.close(file)

    def _path(self, tenant: UUID) -> Path:
        return self._folder / f"{tenant}.json"


def _locked(file: int) -> bool:
    """Whether the lock was to be had; it goes with the file's closing, also that of a process that was killed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Token | None:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(f"the token cannot be read: {type(error).__name__}") from None
    try:
        fields = json.loads(text)
        token = Token(fields["epoch"], UUID(fields["epochId"]), fields["counter"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unusable("the token is damaged") from None
    for number in (token.epoch, token.counter):
        if type(number) is not int or not 0 <= number <= BALANCE_MAX:
            raise _unusable("the token is damaged")
    return token


def _write(path: Path, token: Token) -> None:
    fields = {"epoch": token.epoch, "epochId": str(token.epoch_id), "counter": token.counter}
    beside = path.with_suffix(".new")
    with beside.open("w") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unusable(detail: str) -> TreasuryError:
    return TreasuryError("DISPATCH_TOKEN_MISSING", detail=detail)
