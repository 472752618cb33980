"""The treasury's whole course, from many seeds: whatever dies, each payment is made once, and proven."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parpour_treasury.providers.port import PaymentOrder
from torture.checking import check
from torture.fuses import Strike
from torture.points import points_of
from torture.running import played, run_seed
from torture.servers import BATCH, Fleet, Machines, Servers, connected, fleet
from torture.worlds import COMPONENTS

pytestmark = pytest.mark.anyio

SEEDS = 500
QUIET = Strike("", at=1, after=False)
"""Nothing dies."""
Effects = dict[tuple[str, str], list[int]]
WALKED = [*range(3, 13), 37, 62, 187, 287]
"""Seeds that together have every effect there is; the last five go back to a backup."""
FORGOTTEN = {"found by its spend", "found by a journal", "told that it was paid", "rolled back", "went on", "resumed"}
"""What becomes of what a database has forgotten."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("machines")) as made:
        yield made


@pytest.fixture
def batch() -> int:
    """The first one, on the newest PostgreSQL, where a test says nothing else."""
    return 0


@pytest.fixture
def machines(every: Fleet, batch: int) -> Machines:
    return every.of(batch * BATCH)


@pytest.fixture
async def servers(machines: Machines) -> AsyncIterator[Servers]:
    async with connected(machines) as made:
        yield made


async def test_a_seed_holds_and_the_check_would_see_what_does_not(servers: Servers, tmp_path: Path) -> None:
    async with played(servers, tmp_path / "seed", SEEDS) as player:
        await check(player)
        venture, spend = player.spends()[0]
        again = "insert into torture.applied select * from torture.applied where tenant_id = $1 limit 1"
        await servers.administrator.execute(again, venture.tenant)
        with pytest.raises(AssertionError, match="applied"):
            await check(player)
        stands = await venture.spend(spend)
        account = player.world.accounts[venture.tenant, stands.provider or ""]
        order = PaymentOrder(
            spend_id=spend, key="another", amount=stands.amount + 1, currency="USD", destination="ba_1", purpose="twice"
        )
        await account.provider.send(order)
        with pytest.raises(AssertionError, match=str(spend)):
            await check(player)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(SEEDS // BATCH))
async def test_whatever_dies_every_payment_is_made_once_and_proven(
    servers: Servers, tmp_path: Path, batch: int
) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        await run_seed(servers, tmp_path / f"seed-{seed}", seed)


@pytest.fixture(scope="session")
def effects() -> Effects:
    """Which seeds have which effects; found by the first test that asks."""
    return {}


@pytest.mark.long
@pytest.mark.parametrize("component", COMPONENTS)
async def test_every_effect_is_died_at_before_it_and_after_it(
    servers: Servers, tmp_path: Path, effects: Effects, component: str
) -> None:
    await walk(servers, tmp_path, effects)
    here = {name: seeds for (whose, name), seeds in effects.items() if whose == component}
    assert here
    assert points_of(component) <= here.keys()
    for name, seeds in sorted(here.items()):
        for after in (False, True):
            assert await died_at(servers, tmp_path, Strike(component, at=1, after=after, name=name), seeds)


@pytest.mark.long
async def test_what_a_database_has_forgotten_is_found_and_told(
    servers: Servers, tmp_path: Path, effects: Effects
) -> None:
    await walk(servers, tmp_path, effects)
    assert {name for whose, name in effects if whose == "people"} == FORGOTTEN
    assert ("pay", "lock_dispatch") in effects


async def walk(servers: Servers, folder: Path, effects: Effects) -> None:
    """Find the effects, if nobody has."""
    for seed in [] if effects else WALKED:
        for effect in (await run_seed(servers, folder / f"quiet-{seed}", seed, strike=QUIET)).seen:
            effects.setdefault(effect, []).append(seed)


async def died_at(servers: Servers, folder: Path, strike: Strike, seeds: list[int]) -> bool:
    """Whether something died at an effect, in one of the seeds that have it; servers answer in no fixed order."""
    for seed in seeds:
        name = f"{strike.component}-{strike.name}-{strike.after}-{seed}"
        if (await run_seed(servers, folder / name, seed, strike=strike)).struck == strike.name:
            return True
    return False
