"""The reference pages say what the code says: nothing that a user can meet is left unexplained."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata

import pytest

from civlab.database.queries import KEYS, queries_of
from parpour_contracts.scenario import MODELS, json_schema
from reference import codes, conditions, dependencies, queries, scenario

pytestmark = pytest.mark.unit

ONLY_ON_SOME_MACHINES = {"cupy-cuda13x", "nvidia-cuda-nvrtc", "nvidia-cuda-runtime"}
"""Extras that development does not install; their licences are those of their CUDA 12 twins."""

SPELLINGS = {
    "Apache-2.0": ("Apache-2.0", "Apache 2", "Apache Software License"),
    "BSD-2-Clause": ("BSD-2-Clause", "BSD 2-Clause", "BSD License"),
    "BSD-3-Clause": ("BSD-3-Clause", "BSD License"),
    "NVIDIA proprietary": ("NVIDIA-Proprietary",),
    "MIT OR Apache-2.0": ("MIT License",),
    "PSF-2.0": ("PSFL",),
    "PSF-based": ("Python Software Foundation License",),
}


def test_every_error_code_is_explained() -> None:
    assert codes.unexplained() == [], "add a line to tools/reference/data/error-codes.yaml"


def test_no_error_code_is_explained_that_nothing_raises() -> None:
    assert codes.unused() == [], "remove the line from tools/reference/data/error-codes.yaml"


def test_every_reason_of_the_operator_is_explained() -> None:
    assert conditions.differing() == [], "mend tools/reference/data/reasons.yaml"


def test_every_direct_dependency_has_its_line() -> None:
    assert sorted(set(dependencies.licences()) ^ dependencies.required()) == []


@pytest.mark.parametrize("name", sorted(set(dependencies.licences()) - ONLY_ON_SOME_MACHINES))
def test_a_licence_is_what_the_package_itself_states(name: str) -> None:
    try:
        found = metadata(name)
    except PackageNotFoundError:
        pytest.fail(f"{name} is not installed; run `make setup`")
    said = " ".join(
        [
            *found.get_all("License-Expression", []),
            *(line.partition("\n")[0] for line in found.get_all("License", [])[:1]),
            *(line for line in found.get_all("Classifier", []) if line.startswith("License ::")),
        ]
    )
    stated = dependencies.licences()[name]
    assert any(spelling in said for spelling in (stated, *SPELLINGS.get(stated, ()))), f"{stated!r} is not in {said!r}"
    assert "GPL" not in said


@pytest.mark.parametrize("model", MODELS)
def test_every_section_and_field_of_a_scenario_has_its_place_on_the_page(model: str) -> None:
    text = scenario.scenario_page(model)
    schema = json_schema(model)
    sections = {"": schema, **schema["$defs"]}
    headings = scenario.titles(schema)
    assert set(headings) == set(sections)
    assert len(set(headings.values())) == len(headings)
    assert all(f"## {title}\n" in text for title in headings.values())
    assert all(f"`{field}`" in text for section in sections.values() for field in section["properties"])


def test_every_query_and_every_key_of_its_header_has_its_place_on_the_page() -> None:
    text = queries.queries_page()
    assert all(f"| `{query.name}` |" in text for model in MODELS for query in queries_of(model))
    assert [key for key, _ in queries.KEYS] == list(KEYS)
