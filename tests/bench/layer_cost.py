"""What each layer and measure adds to a day of the epidemic, by adding one after the other to the same population."""

from __future__ import annotations

from functools import partial

from bench.measure import Action, Figure, figure, interleaved, ratios
from bench.worlds import agent_days, world_of
from civlab.runtime.backend import Backend
from parpour_contracts.scenario import BUILTIN, EpidemicScenario, override, parse_scenario

AGENTS = 500_000


def growing_scenarios() -> dict[str, EpidemicScenario]:
    """The builtin `vaccination` scenario taken apart: community alone, then one thing more in each."""
    size = {"population.size": str(AGENTS), "hospital.beds": str(AGENTS // 300)}
    whole = override(parse_scenario(BUILTIN["vaccination"]), size)
    assert isinstance(whole, EpidemicScenario)
    layers = whole.contacts
    community = layers.model_copy(update={"household": None, "school": None, "work": None})
    homes = community.model_copy(update={"household": layers.household})
    schools = homes.model_copy(update={"school": layers.school})

    def without(contacts: object, **updates: object) -> EpidemicScenario:
        return whole.model_copy(update={"contacts": contacts, "hospital": None, "interventions": (), **updates})

    return {
        "community": without(community),
        "household": without(homes),
        "school": without(schools),
        "work": without(layers),
        "hospital": without(layers, hospital=whole.hospital),
        "vaccination and isolation": whole,
    }


def run_of(scenario: EpidemicScenario) -> Action:
    """A generated world's run on one thread."""
    world = world_of(scenario, backend=Backend.cpu(threads=1))
    return partial(world.advance, scenario.ticks)


def layer_figures(*, rounds: int) -> list[Figure]:
    """Nanoseconds an agent-day with the community alone, and the factor over it with each thing more."""
    scenarios = growing_scenarios()
    cases = {name: partial(run_of, scenario) for name, scenario in scenarios.items()}
    cpu = {name: [s.cpu for s in listed] for name, listed in interleaved(cases, rounds=rounds).items()}
    first, *others = scenarios
    alone = [seconds / agent_days(scenarios[first]) * 1e9 for seconds in cpu[first]]
    results = [figure("500,000 agents, community layer alone", "CPU ns an agent-day", alone)]
    for name in others:
        results.append(figure(f"… and {name}", "times the community alone", ratios(cpu[name], cpu[first])))
    return results
