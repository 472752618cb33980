"""The overview of the civilisation tells its phases and invariants; the recipes and refusals of the guide are real."""

from __future__ import annotations

import re

import pytest
import yaml

from civlab.errors import CivlabError
from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.phases import STAGES
from civlab.models.civilisation.proofs import INVARIANTS, NUMBERED
from parpour_contracts.scenario import ScenarioError, builtin_scenario, override, parse_scenario
from quoting import DOCS, ROOT, blocks

pytestmark = pytest.mark.unit

OVERVIEW = (ROOT / "sim-worker/src/civlab/models/civilisation/model.md").read_text()
GUIDE = DOCS / "how-to" / "write-a-civilisation.md"
HEAD = "apiVersion: civlab/v1\nmodel: civilisation\ntitle: A recipe\nticks: 52\n"
TYPED = str.maketrans({"−": "-", "≤": "<=", "×": "*"})


def rows(section: str) -> list[list[str]]:
    """The cells of the first table below a heading of the overview, its head left out."""
    below = OVERVIEW.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_overview_lists_the_stages_with_their_kernels_in_order() -> None:
    told = [(stage, tuple(re.findall(r"`(\w+)`", kernels))) for _, stage, kernels, _ in rows("The week")]
    assert told == [(stage, tuple(phase.name for phase in phases)) for stage, phases in STAGES.items()]
    assert [row[0] for row in rows("The week")] == [str(number) for number in range(1, 12)]


def test_the_overview_lists_the_invariants_with_their_equations() -> None:
    told = [
        (label, name.replace(" ", "_"), equation.translate(TYPED)) for label, name, equation in rows("What must hold")
    ]
    assert told == [(one.label, one.name, one.equation.replace("2^40", "2⁴⁰")) for one in INVARIANTS[:NUMBERED]]


def test_the_overview_names_what_else_stops_a_run() -> None:
    assert all(f"*{one.name.replace('_', ' ')}*" in OVERVIEW for one in INVARIANTS[NUMBERED:])


@pytest.mark.parametrize("recipe", [text for text in blocks(GUIDE, "yaml") if "--8<--" not in text])
def test_a_recipe_of_the_guide_makes_a_world(recipe: str) -> None:
    whole = yaml.safe_load(HEAD) | yaml.safe_load(recipe)
    compile_civilisation(parse_scenario(yaml.safe_dump(whole)))


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (
            {"world.nations.0.government.benefit": "1", "world.nations.0.government.pension": "1"},
            "SCENARIO_INVALID",
            "benefits and interest exceed taxes by 0.057 of wages",
        ),
        ({"world.nations.0.share": "0.7"}, "SCENARIO_INVALID", "their shares sum to 1.1"),
        (
            {"population.size": "20000", "world.settlement.minimum": "5000"},
            "SCENARIO_INVALID",
            "24 regions and 400 firms need 120000 citizens",
        ),
        ({"climate.start": "2499", "ticks": "104"}, "SCENARIO_INVALID", "the run would end in 2501"),
        ({"climate.people_per_citizen": "10000000"}, "SCENARIO_OUT_OF_RANGE", "the whole world of 2020 emits"),
    ],
)
def test_a_refusal_of_the_guide_comes_as_it_says(changes: dict[str, str], code: str, words: str) -> None:
    with pytest.raises((ScenarioError, CivlabError)) as caught:
        compile_civilisation(override(parse_scenario(builtin_scenario("two-nations")), changes))
    refusal = caught.value
    assert isinstance(refusal, ScenarioError | CivlabError)
    assert (refusal.code, words in refusal.message) == (code, True)
    assert f"| `{code}` |" in GUIDE.read_text()
    assert words in GUIDE.read_text()
