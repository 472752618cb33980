"""The codes of the SQL are those of the list."""

from __future__ import annotations

import re

import pytest

from parpour_treasury import MIGRATIONS
from parpour_treasury.refusals import REFUSALS

pytestmark = pytest.mark.unit


def test_every_code_of_the_sql_is_explained() -> None:
    codes = {code for one in MIGRATIONS for code in re.findall(r"'(TREASURY_[A-Z_]+)'", one.text)}
    assert codes <= set(REFUSALS)
    assert len(codes) > 15
