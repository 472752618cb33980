"""What a model declares of its results: headline figures and tables beside the two that every run has.

`timeseries` (the model's metrics) and `members` (points of the design, headline figures, digests) follow from the
model and the run; a model adds what only it knows. Schemas, files and documentation come from these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from civlab.results.outcome import BatchOutcome
from civlab.runtime.world import World


@dataclass(frozen=True)
class Headline:
    """One figure of a member: `places` decimals are implied in its integer."""

    name: str
    unit: str
    meaning: str
    places: int = 0


@dataclass(frozen=True)
class TableColumn:
    """One column of a table. A decimal(38, 0) takes 128-bit numbers as uint64 [rows, 2], the low limb first; text takes
    places in the column's `labels`."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: its columns after `member`, and the rows of one member.

    `rows` gives one array a column for the batch's member of that number, once the world is at its end. `most_rows`
    bounds a member's rows by its scenario where they may outnumber the ticks; row groups are cut by it. A table
    `on_request` is written only for runs that ask for it. `meaning` says what one row is.
    """

    name: str
    columns: tuple[TableColumn, ...]
    rows: Callable[[World, int], Sequence[NDArray[Any]]]
    most_rows: Callable[[Any], int] | None = None
    on_request: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class ResultSet:
    """A model's results; `size` says what the agents of a member are called, `figures` works out the headlines of a
    batch, int64 [members] each."""

    size: TableColumn
    headlines: tuple[Headline, ...]
    figures: Callable[[BatchOutcome], Mapping[str, NDArray[Any]]]
    tables: tuple[Table, ...] = ()

    def written(self, *, on_request: bool) -> tuple[Table, ...]:
        """The model's tables that a run writes."""
        return tuple(table for table in self.tables if on_request or not table.on_request)
