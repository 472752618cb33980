"""The option languages: what is well formed is understood, everything else is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.cli.options import parse_design, parse_overrides
from civlab.errors import CivlabError
from parpour_contracts.simulation import DesignType

pytestmark = pytest.mark.unit
NOISE = st.text(st.characters(codec="utf-8"), max_size=40) | st.text("gridlhsobl:=.,;1295 r", max_size=40)


def test_no_design_means_replicates() -> None:
    assert parse_design([]).type is DesignType.REPLICATE


@pytest.mark.parametrize(("word", "kind"), [("grid", DesignType.GRID), ("list", DesignType.LIST)])
def test_a_grid_and_a_list_name_values(word: str, kind: DesignType) -> None:
    design = parse_design([f"{word}:disease.r0=1.5,2;hospital.beds=10, 20"])
    assert design.type is kind
    assert [(p.name, p.values) for p in design.parameters] == [
        ("disease.r0", ("1.5", "2")),
        ("hospital.beds", ("10", "20")),
    ]


@pytest.mark.parametrize(("word", "kind"), [("lhs", DesignType.LATIN_HYPERCUBE), ("sobol", DesignType.SOBOL)])
def test_a_sampled_range_has_two_ends(word: str, kind: DesignType) -> None:
    design = parse_design([f"{word}:a.b=1.5..3", f"{word}:c.d=0..1"])
    assert design.type is kind
    assert [(p.name, p.minimum, p.maximum) for p in design.parameters] == [("a.b", "1.5", "3"), ("c.d", "0", "1")]


@pytest.mark.parametrize(
    "texts",
    [
        ["grid"],
        ["grid:"],
        ["cube:a=1"],
        ["grid:a"],
        ["lhs:a=1"],
        ["lhs:a=1,2"],
        ["replicate:a=1"],
        ["grid:a=1", "lhs:b=1..2"],
    ],
)
def test_a_malformed_design_is_refused(texts: list[str]) -> None:
    with pytest.raises(CivlabError) as caught:
        parse_design(texts)
    assert caught.value.code == "DESIGN_MALFORMED"


def refusal(act: Callable[[], object]) -> CivlabError | None:
    try:
        act()
    except CivlabError as fault:
        return fault
    return None


@given(texts=st.lists(NOISE, max_size=3))
def test_any_design_text_is_understood_or_refused_by_name(texts: list[str]) -> None:
    fault = refusal(lambda: parse_design(texts))
    assert fault is None or (fault.code == "DESIGN_MALFORMED" and len(fault.message) < 600)


@given(texts=st.lists(NOISE, max_size=3))
def test_any_override_text_is_understood_or_refused_by_name(texts: list[str]) -> None:
    fault = refusal(lambda: parse_overrides(texts))
    assert fault is None or fault.code in {"SET_MALFORMED", "SET_REPEATED"}


def test_an_override_may_hold_an_equals_sign_in_its_value() -> None:
    assert parse_overrides(["a.b = x=y"]) == {"a.b": "x=y"}
