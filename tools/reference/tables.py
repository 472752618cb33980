"""Reads the tables that people write for a reference page: a word, then a row of short texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"


def read_rows(name: str, *, width: int) -> dict[str, dict[str, tuple[str, ...]]]:
    """Rows by group and word, in the order in which they are written.

    Raises:
        ValueError: if a row has not `width` texts.
    """
    document: dict[str, dict[str, Any]] = yaml.safe_load((DATA / name).read_text())
    for group, rows in document.items():
        for word, row in rows.items():
            if not isinstance(row, list) or len(row) != width or not all(isinstance(text, str) for text in row):
                raise ValueError(f"{name}: {group}: {word}: give {width} texts")
    return {group: {word: tuple(row) for word, row in rows.items()} for group, rows in document.items()}
