"""The rate of Covasim 3, which knew no Starsim and is faster than Covasim 4: the stricter comparison.

It cannot live in one environment with Covasim 4, so this file stands alone and is run by
`uv run --isolated --no-project --python 3.11 --with covasim==3.1.6 tests/bench/covasim3_rate.py`. The epidemic is the
one of bench_epidemic's peers section; the network is Covasim's own with the same number of contacts.
"""

import os
import statistics
import time

os.environ.update(
    NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MPLBACKEND="agg", COVASIM_VERBOSE="0"
)

import covasim as cv

AGENTS, DAYS, ROUNDS = 100_000, 180, 5
TRANSMISSION = 0.02780
"""Chance a contact a day: 19 · (1 - (1 - p)^5) = 2.5."""


def run_seconds(seed: int) -> float:
    """CPU seconds of one run, initialisation excluded."""
    parameters = {
        "pop_size": AGENTS,
        "pop_infected": 100,
        "n_days": DAYS,
        "contacts": {"a": 20},
        "beta": TRANSMISSION,
        "beta_dist": {"dist": "uniform", "par1": 1.0, "par2": 1.0},
        "viral_dist": {"frac_time": 0.3, "load_ratio": 1, "high_cap": 4},
        "rel_symp_prob": 0.0,
        "prog_by_age": False,
        "use_waning": False,
        "rescale": False,
        "rand_seed": seed,
        "verbose": 0,
    }
    sim = cv.Sim(parameters)
    sim["dur"]["exp2inf"] = {"dist": "uniform", "par1": 3, "par2": 3}
    sim["dur"]["asym2rec"] = {"dist": "uniform", "par1": 5, "par2": 5}
    sim.initialize()
    began = time.process_time()
    sim.run()
    return time.process_time() - began


def main() -> None:
    """Prints the median rate of the rounds after one that compiles."""
    run_seconds(0)
    rates = sorted(AGENTS * DAYS / run_seconds(seed) / 1e6 for seed in range(1, ROUNDS + 1))
    median = statistics.median(rates)
    print(f"Covasim {cv.__version__}: {median:.2f} M agent-days / CPU s ({rates[0]:.2f} to {rates[-1]:.2f})")


if __name__ == "__main__":
    main()
