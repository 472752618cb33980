"""One seed from its beginning to its end."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from torture.checking import check
from torture.fuses import Strike
from torture.playing import Player
from torture.servers import Servers
from torture.worlds import COMPONENTS, new_world


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
    async with new_world(servers, folder, seed, strike=strike or strike_of(seed)) as world:
        player = Player(world)
        await player.play()
        await player.settle()
        yield player
