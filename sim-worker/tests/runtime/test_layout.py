"""The generated header follows the declarations, and every column and draw has one meaning."""

from __future__ import annotations

import pytest

from civlab.models.epidemic import layout
from civlab.runtime.columns import enumeration

pytestmark = pytest.mark.unit


def test_the_header_under_version_control_is_the_generated_one() -> None:
    assert layout.HEADER.read_text("utf-8") == layout.header()


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        enumeration("DRAW", ["a", "b", "a"])


def test_every_column_says_what_it_means() -> None:
    names = [column.name for column in layout.COLUMNS]
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in layout.COLUMNS)


def test_structures_are_laid_out_without_holes() -> None:
    for structure in (layout.SCENARIO, layout.DAY):
        dtype = structure.dtype()
        inner = sum(dtype.fields[name][0].itemsize for name in dtype.names)  # type: ignore[index,union-attr,misc]
        assert dtype.itemsize - inner < 8
