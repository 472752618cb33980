"""The same epidemic on the same network in civlab, Covasim and Starsim: how many times faster, pair by pair.

Peers hold more state per agent than this epidemic uses; what is compared is the time to an answer that has the same
distribution (tests/validation shows that), with every feature of theirs that can be off switched off.
"""

from __future__ import annotations

from functools import partial

from bench.measure import Action, Figure, figure, interleaved, ratios
from bench.worlds import contact_layer, world_of
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import EpidemicScenario
from validation.civlab_ensemble import network_of
from validation.contact_epidemic import ContactEpidemic, ContactNetwork, DayTable
from validation.covasim_peer import VERSION as COVASIM
from validation.covasim_peer import CovasimRun
from validation.starsim_peer import VERSION as STARSIM
from validation.starsim_peer import StarsimRun

AGENTS = 100_000
EXPOSED, INFECTIOUS = 3, 5
"""Days, as the builtin scenario has them."""


def shared_epidemic(scenario: EpidemicScenario, world: World) -> ContactEpidemic:
    """What civlab was asked, in the words that the peers' adapters take; the chance is the one civlab solved for."""
    compiled = world.members[0].scenario
    return ContactEpidemic(
        agents=compiled.population,
        days=scenario.ticks,
        transmission=1 - int(compiled.record["miss"][0][0][1]) / 2**64,
        exposed=DayTable((EXPOSED,), (1.0,)),
        infectious=DayTable((INFECTIOUS,), (1.0,)),
        introductions=sum(item.count for item in scenario.introductions),
    )


def peer_run(
    peer: type[CovasimRun] | type[StarsimRun], epidemic: ContactEpidemic, network: ContactNetwork, seed: int
) -> Action:
    """A prepared peer's run."""
    return peer.prepare(epidemic, network, seed=seed).run


def civlab_run(scenario: EpidemicScenario) -> Action:
    """A generated world's run on one thread."""
    world = world_of(scenario, backend=Backend.cpu(threads=1))
    return partial(world.advance, scenario.ticks)


def compared(
    label: str, changes: dict[str, str], *, rounds: int, goals: tuple[float | None, float | None]
) -> list[Figure]:
    """Rates of the three and the ratios of CPU seconds for one scenario."""
    scenario = contact_layer({"population.size": str(AGENTS), **changes})
    world = world_of(scenario, backend=Backend.cpu(threads=1))
    epidemic, network = shared_epidemic(scenario, world), network_of(world, 0)
    cases = {
        "civlab": partial(civlab_run, scenario),
        "Covasim": partial(peer_run, CovasimRun, epidemic, network, 1),
        "Starsim": partial(peer_run, StarsimRun, epidemic, network, 1),
    }
    cpu = {name: [s.cpu for s in listed] for name, listed in interleaved(cases, rounds=rounds).items()}
    days = epidemic.agents * epidemic.days
    versions = {"civlab": "civlab", "Covasim": f"Covasim {COVASIM}", "Starsim": f"Starsim {STARSIM}"}
    rates = [
        figure(f"{label}: {versions[name]}", "M agent-days / CPU s", [days / seconds / 1e6 for seconds in listed])
        for name, listed in cpu.items()
    ]
    covasim, starsim = (ratios(cpu[name], cpu["civlab"]) for name in ("Covasim", "Starsim"))
    return [
        *rates,
        figure(f"{label}: civlab over Covasim", "times", covasim, at_least=goals[0]),
        figure(f"{label}: civlab over Starsim", "times", starsim, at_least=goals[1]),
    ]


def peer_figures(*, rounds: int) -> list[Figure]:
    """The comparison at R0 2.5, degree 20, and a neighbour with fewer contacts and a lower R0."""
    neighbour = {"disease.r0": "1.5", "contacts.community.degree.value": "10"}
    return [
        *compared("100,000 agents, degree 20, R0 2.5", {}, rounds=rounds, goals=(15, 20)),
        *compared("100,000 agents, degree 10, R0 1.5", neighbour, rounds=rounds, goals=(None, None)),
    ]
