"""Whole runs in processes of their own: none takes more memory than was announced, and none much less.

The truth is the kernel's: the highest resident size of the process. What a pod is accepted with is the estimate and
what the program takes besides, so both are held to it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from parpour_contracts.run import WORKER_BASE_MEMORY
from parpour_contracts.scenario import BUILTIN, Estimate, estimate, override, parse_scenario

pytestmark = pytest.mark.kernel
MIB = 1 << 20
MEASURE = Path(__file__).with_name("peak_of_a_run.py")
ALONE = """apiVersion: civlab/v1
model: epidemic
title: Persons without contacts, all infected at the start
ticks: 4
population: {size: 400, pyramid: uniform, households: single}
contacts: {community: null, work: {}}
disease: {probability: 0}
introductions: [{tick: 0, count: 100}]
"""
WARMING = (Path(__file__).parents[3] / "examples" / "warming-scenario.yaml").read_text("utf-8")


@dataclass(frozen=True)
class Case:
    """A run to measure: its text, what to change of it, and how many members lie in one batch."""

    text: str
    parameters: dict[str, str]
    tiny: dict[str, str]
    ticks: int = 4
    members: int = 1
    transmissions: bool = False
    close: float | None = 2.0
    """How many times the rise the estimate may be; None where neither is large enough to tell."""

    def announced(self) -> Estimate:
        """What is said before anything is allocated."""
        scenario = override(parse_scenario(self.text), {**self.parameters, "ticks": str(self.ticks)})
        return estimate(scenario, members=self.members)


def civilisation(size: int) -> dict[str, str]:
    """Parameters of so many citizens, who emit as much as fewer of them would."""
    return {"population.size": str(size), "climate.people_per_citizen": "400"}


CASES = {
    "exchange": Case(BUILTIN["exchange"], {"population.size": "6000000"}, {"population.size": "1000"}),
    "exchange of many": Case(
        BUILTIN["exchange"], {"population.size": "50000"}, {"population.size": "1000"}, members=100
    ),
    "epidemic": Case(
        BUILTIN["epidemic-contact"], {"population.size": "600000"}, {"population.size": "1000"}, transmissions=True
    ),
    "epidemic without contacts": Case(
        ALONE,
        {"population.size": "1000000", "introductions.0.count": "1000000"},
        {},
        transmissions=True,
    ),
    "epidemic of many": Case(
        BUILTIN["epidemic-contact"], {"population.size": "6000"}, {"population.size": "1000"}, members=100
    ),
    "civilisation": Case(BUILTIN["two-nations"], civilisation(1_200_000), civilisation(10_000)),
    "civilisation of many regions and weeks": Case(
        BUILTIN["two-nations"],
        {**civilisation(30_000), "world.map.regions": "300"},
        civilisation(10_000),
        ticks=60,
        members=3,
    ),
    "climate": Case(WARMING, {}, {}, ticks=60, members=800, close=None),
}


def measured(case: Case, folder: Path, until: str) -> dict[str, int]:
    """What the process says of itself, bytes."""
    order = {
        "text": case.text,
        "parameters": case.parameters,
        "tiny": case.tiny,
        "ticks": case.ticks,
        "members": case.members,
        "transmissions": case.transmissions,
        "folder": str(folder),
        "until": until,
    }
    done = subprocess.run(
        [sys.executable, str(MEASURE), json.dumps(order)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_a_run_with_checkpoints_resume_and_tables_stays_below_its_estimate_and_near_it(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name]
    announced = case.announced()
    stopped, resumed = (measured(case, tmp_path, until) for until in ("stop", "end"))
    assert stopped["resumed"] == 0 < resumed["resumed"], "the second process went on from the first one's checkpoint"
    rises = [found["peak"] - found["program"] for found in (stopped, resumed)]
    told = f"rose by {[rise // MIB for rise in rises]} MiB, announced {announced.peak // MIB} MiB"
    for found in (stopped, resumed):
        assert found["peak"] <= announced.peak + WORKER_BASE_MEMORY, told
    assert max(rises) <= announced.peak + 8 * MIB, told
    if case.close is not None:
        assert announced.peak <= case.close * max(rises), told
