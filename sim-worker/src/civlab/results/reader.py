"""Reads a complete run: its manifest and its tables, into Polars, pandas or xarray.

The three libraries are imported when they are asked for and are none of civlab's own dependencies; Arrow is the
common ground. Files are checked against the manifest's sizes here and against its hashes by `civlab verify`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from civlab.errors import CivlabError
from civlab.results.columns import to_floats, to_numpy
from civlab.results.manifest import RunManifest
from civlab.results.parquet import open_parquet
from civlab.results.schema import MEMBERS, TIMESERIES
from civlab.store import Store, open_store

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import xarray as xr


class Results:
    """A complete run. `manifest` holds its digest, headline figures and files."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.manifest = RunManifest.load(store)

    def arrow(self, table: str = TIMESERIES, columns: list[str] | None = None) -> pa.Table:
        """A table (timeseries, members, and the model's own), all shards in member order.

        Raises CivlabError TABLE_UNKNOWN for one that the run did not write, RESULT_MISMATCH for a file that was cut.
        """
        files = self.manifest.files(table)
        if not files:
            raise self._unknown(table)
        parts: list[pa.Table] = []
        for item in files:
            if self.store.size(item.path) != item.size:
                raise CivlabError(
                    "RESULT_MISMATCH", self.store.address(item.path), f"does not have the {item.size} bytes it had"
                )
            with self.store.reader(item.path) as file:
                parts.append(open_parquet(file).read(columns=columns, use_threads=False))
        return pa.concat_tables(parts)

    def arrow_schema(self, table: str) -> pa.Schema:
        """A table's columns with their types, units and meanings. Raises CivlabError TABLE_UNKNOWN."""
        for item in self.manifest.files(table):
            with self.store.reader(item.path) as file:
                return open_parquet(file).schema_arrow
        raise self._unknown(table)

    def head(self, table: str, column: str, *, rows: int) -> np.ndarray:
        """The first `rows` values of a column, reading no more row groups than they need."""
        parts: list[np.ndarray] = []
        for item in self.manifest.files(table):
            with self.store.reader(item.path) as file:
                parquet = open_parquet(file)
                for group in range(parquet.num_row_groups):
                    if sum(len(part) for part in parts) >= rows:
                        break
                    parts.append(to_numpy(parquet.read_row_group(group, columns=[column], use_threads=False).column(0)))
        return np.concatenate(parts)[:rows]

    def _unknown(self, table: str) -> CivlabError:
        known = ", ".join(dict.fromkeys(item.table for item in self.manifest.tables))
        return CivlabError("TABLE_UNKNOWN", table, f"the run wrote no such table; it has {known}")

    def polars(self, table: str = TIMESERIES) -> pl.DataFrame:
        """A table as a Polars frame."""
        import polars

        frame = polars.from_arrow(self.arrow(table))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def pandas(self, table: str = TIMESERIES) -> pd.DataFrame:
        """A table as a pandas frame."""
        frame: pd.DataFrame = self.arrow(table).to_pandas()
        return frame

    def xarray(self) -> xr.Dataset:
        """The timeseries as a dataset over (member, tick), with the members' table as coordinates of `member`.

        Variables carry `units` and `long_name`; 128-bit numbers become floats.
        """
        import xarray

        series, members = self.arrow(TIMESERIES), self.arrow(MEMBERS)
        shape = (self.manifest.members, self.manifest.ticks)
        variables = {
            field.name: (
                ("member", "tick"),
                (to_floats if pa.types.is_decimal(field.type) else to_numpy)(series.column(field.name)).reshape(shape),
                {
                    "units": field.metadata[b"unit"].decode(),
                    "long_name": field.metadata[b"meaning"].decode().rsplit(" (", 1)[0],
                },
            )
            for field in series.schema
            if field.name not in ("member", "tick")
        }
        coordinates = {
            name: ("member", members.column(name).to_numpy(zero_copy_only=False))
            for name in members.column_names
            if name != "member"
        }
        return xarray.Dataset(
            variables,
            coords={"member": np.arange(shape[0]), "tick": np.arange(shape[1]), **coordinates},
            attrs={"digest": self.manifest.digest, "run": self.manifest.run, "title": self.manifest.title},
        )


def open_results(address: str | Path) -> Results:
    """The complete run at a path or a store's URL.

    Raises CivlabError RUN_NOT_COMPLETE, STORE_NOT_FOUND, or what the store raises.
    """
    return Results(open_store(address))
