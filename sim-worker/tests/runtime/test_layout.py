"""The generated header follows the declarations, and every column and draw has one meaning."""

from __future__ import annotations

import pytest

from civlab.models import model_of
from civlab.runtime.building import PACKAGE
from civlab.runtime.columns import enumeration
from civlab.runtime.header import generated_files
from parpour_contracts.scenario import MODELS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", MODELS)
def test_the_generated_files_under_version_control_are_those_of_the_declaration(name: str) -> None:
    for path, text in generated_files(model_of(name)).items():
        assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", MODELS)
def test_every_recount_under_version_control_is_one_of_a_kind_with_a_state(name: str) -> None:
    found = set((PACKAGE / "models" / name / "kernels").glob("recount*"))
    assert found <= set(generated_files(model_of(name)))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        enumeration("DRAW", ["a", "b", "a"])


@pytest.mark.parametrize("name", MODELS)
def test_every_column_says_what_it_means(name: str) -> None:
    columns = model_of(name).columns
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.meaning for column in columns)


@pytest.mark.parametrize("name", MODELS)
def test_structures_are_laid_out_without_holes(name: str) -> None:
    for structure in model_of(name).structures:
        dtype = structure.dtype()
        inner = sum(dtype.fields[name][0].itemsize for name in dtype.names)  # type: ignore[index,union-attr,misc]
        assert dtype.itemsize - inner < 8
