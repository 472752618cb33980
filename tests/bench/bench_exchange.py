"""Random exchange's figures: agent-rounds a CPU second beside Mesa, mesa-frames and bare NumPy, and the agreement.

`python -m bench.bench_exchange [--json] [--rounds N]` (`make bench-exchange`). The goals stand at 100,000 agents with
one unit each; beside them stand other sizes, more money, other laws, and the rates by units given instead of by agents.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench import machine
from bench.frames_peer import VERSION as FRAMES
from bench.frames_peer import frames_run, prepared
from bench.measure import Action, Figure, figure, interleaved, ratios, report
from validation.boltzmann_laws import (
    AT_ONCE,
    PAIRS,
    TURNS,
    Activation,
    distance,
    equal,
    geometric,
    gini,
    law_after,
    most_apart,
)
from validation.exchange_world import ONE_UNIT, world_of
from validation.mesa_peer import VERSION as MESA
from validation.mesa_peer import MesaRun

DECLARATION = """\
An agent-round is one agent in one round, whatever the round is. The rounds are not alike:
  civlab       everyone is in one pair drawn anew, and a fair coin says who of the two gives a unit, if it has one
  Mesa         agents take turns in shuffled order; each that has a unit gives it to an agent drawn at random
  mesa-frames  all that have a unit give it at the same time to agents drawn at random
  bare NumPy   the same as mesa-frames in three array operations, without a framework
civlab also adds up all money, looks for debts, writes six metrics and seals every round with a digest of the state;
the others do none of it. A peer's round moves 2 to 2.6 times as many units as civlab's, hence the rates by units given.
Peers begin at rest, where fewest have something to give. Initialisation is in no rate, output is off, one thread each.
"""
UNIT = "M agent-rounds / CPU s"
SIZES = (1_000, 100_000, 1_000_000)
MAIN, LARGE = 100_000, 10_000_000
LAWS = {
    "shares of the pair's mean": "{law: share-of-pair}",
    "shares of the mean of all": "{law: share-of-mean}",
    "pooled, saving 0.5": "{law: pooled, saving: 0.5}",
}
OVER_MESA, OVER_FRAMES = 20, 3
WORK = {"civlab": 8_000_000, "Mesa": 400_000, "mesa-frames": 3_000_000, "bare NumPy": 8_000_000}
"""Agent-rounds of a timed run: about a fifth of a second or more, and one round at least."""
RULES: Mapping[str, Activation] = {"civlab": PAIRS, "Mesa": TURNS, "mesa-frames": AT_ONCE}
ROUND_BYTES = 24
"""Memory traffic of an agent-round at least: trade reads and writes the holding, the audit reads it."""


def rounds_of(program: str, agents: int) -> int:
    """Rounds of a timed run."""
    return max(1, WORK[program] // agents)


def civlab(*, agents: int, money: int = 1, law: str = ONE_UNIT, members: int = 1) -> Action:
    """A world's rounds on one thread, with its records touched once before."""
    rounds = rounds_of("civlab", agents * members)
    world = world_of(agents=agents, money=money, rounds=rounds, law=law, members=members)
    world.arrays.column["history"].fill(0)
    return partial(world.advance, rounds)


def at_rest(agents: int, money: int) -> NDArray[np.int64]:
    """Holdings by the geometric law."""
    return np.random.default_rng(1).geometric(1 / (1 + money), agents) - 1


def mesa(*, agents: int, money: int = 1) -> Action:
    """Mesa's rounds."""
    return MesaRun.prepare(at_rest(agents, money), rounds=rounds_of("Mesa", agents), seed=1).run


def bare_numpy(*, agents: int, money: int = 1) -> Action:
    """The rounds of mesa-frames in NumPy."""
    wealth, draws = at_rest(agents, money), np.random.default_rng(2)

    def run() -> None:
        held = wealth
        for _ in range(rounds_of("bare NumPy", agents)):
            givers = held > 0
            receivers = draws.integers(agents, size=np.count_nonzero(givers))
            held = held - givers + np.bincount(receivers, minlength=agents)

    return run


def compared(agents: int, *, money: int = 1, rounds: int, goals: bool) -> list[Figure]:
    """Rates of the four and civlab's over the others' for one size and mean."""
    cases = {
        "civlab": partial(civlab, agents=agents, money=money),
        "Mesa": partial(mesa, agents=agents, money=money),
        "mesa-frames": partial(prepared, agents=agents, money=money, rounds=rounds_of("mesa-frames", agents)),
        "bare NumPy": partial(bare_numpy, agents=agents, money=money),
    }
    samples = interleaved(cases, rounds=rounds)
    took = {name: [s.cpu / agents / rounds_of(name, agents) for s in listed] for name, listed in samples.items()}
    label = f"{agents:,} agents, {money} unit{'s' if money > 1 else ''} each"
    goal = {"Mesa": OVER_MESA, "mesa-frames": OVER_FRAMES} if goals else {}
    over = {name: ratios(took[name], took["civlab"]) for name in cases if name != "civlab"}
    given = {name: rule.given(resting(rule, money)) for name, rule in RULES.items()}
    return [
        *(figure(f"{label}: {name}", UNIT, [1e-6 / seconds for seconds in listed]) for name, listed in took.items()),
        *(figure(f"… civlab over {name}", "times", listed, at_least=goal.get(name)) for name, listed in over.items()),
        *(
            figure(f"… the same by units given, {name}", "times", by_units(over[name], given["civlab"] / given[name]))
            for name in ("Mesa", "mesa-frames")
        ),
    ]


def resting(rule: Activation, money: int) -> NDArray[np.float64]:
    """The law at which a rule comes to rest, or near it."""
    return law_after(rule, geometric(money, most=16 * (1 + money)), 100)


def by_units(over: Sequence[float], share: float) -> list[float]:
    """Ratios by units given, from those by agent-rounds and the share of a peer's units that a round of ours moves."""
    return [ratio * share for ratio in over]


def neighbour_figures(*, rounds: int) -> list[Figure]:
    """civlab's rate under other laws, for many small worlds, and for one that fits no cache; and what memory allows."""
    many, large = "100 worlds of 1,000 agents", f"{LARGE:,} agents"
    cases = {name: partial(civlab, agents=MAIN, money=1000, law=law) for name, law in LAWS.items()}
    cases |= {many: partial(civlab, agents=1000, members=100), large: partial(civlab, agents=LARGE)}
    samples = interleaved(cases, rounds=rounds)
    rates = {}
    for name, listed in samples.items():
        agents = LARGE if name == large else MAIN
        rates[name] = [agents * rounds_of("civlab", agents) / sample.cpu / 1e6 for sample in listed]
    limit = [machine.copy_bandwidth() / ROUND_BYTES / 1e6 for _ in range(rounds)]
    return [
        *(figure(f"civlab: {name}", UNIT, listed) for name, listed in rates.items()),
        figure("what a copy's bandwidth would allow", UNIT, limit),
        figure(f"… {large}, of that", "%", [100 * share for share in ratios(rates[large], limit)]),
    ]


def agreement_figures(*, agents: int = 20_000, rounds: int = 50) -> list[Figure]:
    """Gini coefficients after the same rounds from equal holdings, and each program's distance from its own law."""
    world = world_of(agents=agents, rounds=rounds)
    world.advance(rounds)
    peer = MesaRun.prepare(np.ones(agents, np.int64), rounds=rounds, seed=1)
    peer.run()
    held = {
        "civlab": world.member_column("money", 0).astype(np.int64),
        "Mesa": peer.held(),
        "mesa-frames": frames_run(agents=agents, rounds=rounds, at_rest=False).held,
    }
    results = []
    for name, holdings in held.items():
        law = law_after(RULES[name], equal(1, most=60), rounds)
        found = gini(np.bincount(holdings) / agents)
        results += [
            figure(f"{name}: Gini coefficient, {gini(law):.3f} by its law", "", [found]),
            figure("… distance from its law", "", [distance(law, holdings)], at_most=round(most_apart(agents), 4)),
        ]
    return results


def main() -> None:
    """Prints the declaration and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    options = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    figures = [
        *(item for size in SIZES for item in compared(size, rounds=options.rounds, goals=size == MAIN)),
        *compared(MAIN, money=100, rounds=options.rounds, goals=False),
        *neighbour_figures(rounds=options.rounds),
        *agreement_figures(),
    ]
    print(DECLARATION, file=sys.stderr if options.json else sys.stdout)
    title = f"Random exchange beside Mesa {MESA} and mesa-frames {FRAMES}"
    report(title, figures, as_json=options.json, load_before=load)


if __name__ == "__main__":
    main()
