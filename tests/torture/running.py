"""One seed from its beginning to its end."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from parpour_api.errors import ApiError
from parpour_api.logs import LOGGER
from parpour_treasury.payments import worker
from torture.checking import check, check_books
from torture.fuses import Strike
from torture.playing import Player, is_survived
from torture.servers import Servers
from torture.worlds import COMPONENTS, new_world

HEARD = ("parpour_api", "parpour_treasury", "parpour_controlplane", "asyncio", "asyncpg", "aiohttp")
"""Loggers that speak of deaths and lost servers, among other things."""


@dataclass(frozen=True)
class Ran:
    """What was seen of a seed that held."""

    seen: frozenset[tuple[str, str]]
    """Effects, each with its component."""
    struck: str
    """The effect at which something died; empty if nothing did."""


def strike_of(seed: int) -> Strike | None:
    """What befalls a component in a seed; nothing in some of them."""
    draw = random.Random(f"strike {seed}")
    component = draw.choice((*COMPONENTS, "pay", "pay", "api", ""))
    if not component:
        return None
    return Strike(component, at=draw.randint(1, 24), after=draw.random() < 0.5, cut=draw.random() < 0.3)


async def run_seed(servers: Servers, folder: Path, seed: int, *, strike: Strike | None = None) -> Ran:
    """Play a seed, or with a strike of one's own instead of its own, and check it.

    Raises:
        AssertionError: if something does not hold afterwards.
    """
    async with played(servers, folder, seed, strike=strike) as player:
        await check(player)
        return Ran(frozenset(player.world.fuse.seen), player.world.fuse.blown)


@asynccontextmanager
async def played(servers: Servers, folder: Path, seed: int, *, strike: Strike | None = None) -> AsyncIterator[Player]:
    """A seed that came to its end, unchecked."""
    (folder / "tokens").mkdir(parents=True)
    with heard() as said:
        async with new_world(servers, folder, seed, strike=strike or strike_of(seed)) as world:
            player = Player(world)
            await player.play()
            await check_books(world)
            await player.settle()
            # A sealer that is asked to go on behind what it has signed says so.
            wrong = [one for one in said.wrong if not (player.gone_back and "CHAIN_ROLLED_BACK" in one)]
            assert wrong == [], wrong[0]
            yield player


class Ear(logging.Handler):
    """Hears what processes log of faults that no death and no lost server explains."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.wrong: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record if it is of such a fault."""
        text = self.format(record)
        error = record.exc_info[1] if record.exc_info else None
        if record.name in ("asyncio", LOGGER.name) and error is not None and (is_survived(error) or _is_away(error)):
            return
        if record.name in ("asyncio", LOGGER.name, worker.__name__) or "Chain" in text or "SEALER_INCOMPLETE" in text:
            self.wrong.append(text)


def _is_away(error: BaseException) -> bool:
    """Whether the API says that something that it needs does not answer."""
    return isinstance(error, ApiError) and error.status == HTTPStatus.SERVICE_UNAVAILABLE


@contextmanager
def heard() -> Iterator[Ear]:
    """What is logged in a block, and nothing of it on the terminal."""
    ear, loggers = Ear(), [logging.getLogger(name) for name in HEARD]
    for one in loggers:
        one.addHandler(ear)
        one.propagate = False
    try:
        yield ear
    finally:
        for one in loggers:
            one.removeHandler(ear)
            one.propagate = True
