"""Loads a complete run into a database file: all tables or none, each file against its hash.

A run is known by its digest and its hash, not by where it lies: the same results from another folder, cut into other
shards, are the same run. Loading it again only looks, so it cannot change the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from civlab.database import layout
from civlab.database.engine import engine, faults, number, opened, quoted, transaction
from civlab.errors import CivlabError
from civlab.results.manifest import RunManifest
from civlab.results.parquet import open_parquet
from civlab.results.schema import table_meanings
from civlab.results.tables import TableFile
from civlab.runs.spec import RunSpec
from civlab.store import Store
from civlab.store.sealed import canonical_json
from parpour_contracts.scenario import parameters

if TYPE_CHECKING:
    from civlab.database.engine import Connection

CHUNK = 8 << 20
REMEDY = "restore the file, or run again"


@dataclass(frozen=True)
class Loaded:
    """A run in a database: its number there, its rows by table, and whether it was loaded now or stood already."""

    run: int
    digest: str
    run_hash: str
    model: str
    title: str
    new: bool
    files: int
    tables: Mapping[str, int]


@dataclass(frozen=True)
class Source:
    """A complete run in a store, and the files of it that are wanted."""

    store: Store
    spec: RunSpec
    manifest: RunManifest
    files: tuple[TableFile, ...]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.spec.scenario.model

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table, as the manifest has them."""
        found: dict[str, int] = {}
        for item in self.files:
            found[item.table] = found.get(item.table, 0) + item.rows
        return found

    def loaded(self, run: int, *, new: bool) -> Loaded:
        """What to say of the run once it is in a database."""
        manifest = self.manifest
        return Loaded(
            run,
            manifest.digest,
            manifest.run,
            self.model,
            manifest.title,
            new,
            len(self.files) if new else 0,
            self.rows,
        )


def load_run(store: Store, file: Path, *, force: bool = False, only: Collection[str] | None = None) -> Loaded:
    """Load a complete run into a database file, which is made if it is not there; `only` leaves other tables empty.

    With `force` a run that is in the file is loaded anew. Raises CivlabError RUN_NOT_COMPLETE, RESULT_MISMATCH for a
    file that is not what the manifest says, DATABASE_DIFFERS when the file holds the run with other rows or a column
    with another type, DATABASE_FORMAT_UNKNOWN, DATABASE_REFUSED, EXTRA_MISSING, and the store's codes. After an error
    the file holds what it held before.
    """
    engine()
    source = _source(store, only)
    if not file.exists():
        with _making(file) as made:
            return _write(source, made, name=str(file))
    standing = None if force else _standing(source, file)
    if standing is not None:
        return source.loaded(standing, new=False)
    return _write(source, file, name=str(file))


def _write(source: Source, file: Path, *, name: str) -> Loaded:
    """Write the run into the database `file`, which messages call `name`."""
    with faults("DATABASE_REFUSED", name), opened(file, writing=True) as connection, transaction(connection):
        if layout.is_empty(connection):
            layout.prepare(connection)
        layout.check_format(connection, name)
        known = _known(connection, source)
        run = _next(connection) if known is None else known
        _remove(connection, run, source.model)
        _describe(connection, source, run)
        for table in dict.fromkeys(item.table for item in source.manifest.tables):
            _fill(connection, source, run, table, path=name)
        layout.define_parameter(connection, source.model)
    return source.loaded(run, new=True)


@contextmanager
def _making(file: Path) -> Iterator[Path]:
    """A place beside a file that is not there yet, moved to it once the block is done: a file that is only begun is no
    database that anyone could open. Raises CivlabError DATABASE_REFUSED."""
    try:
        with TemporaryDirectory(prefix=".civlab-", dir=file.absolute().parent) as folder:
            made = Path(folder) / file.name
            yield made
            if file.exists():
                raise CivlabError("DATABASE_REFUSED", str(file), "was made by another process meanwhile; load again")
            made.replace(file)
    except OSError as fault:
        raise CivlabError("DATABASE_REFUSED", str(file), f"cannot be made: {fault.strerror}") from None


def _source(store: Store, only: Collection[str] | None) -> Source:
    spec, manifest = RunSpec.load(store), RunManifest.load(store)
    if manifest.run != spec.run_hash:
        raise CivlabError("RESULT_MISMATCH", store.address("manifest.json"), "the manifest belongs to another run")
    wanted = tuple(item for item in manifest.tables if only is None or item.table in only)
    return Source(store, spec, manifest, wanted)


def _standing(source: Source, file: Path) -> int | None:
    """The run's number if the file holds it, looked up without writing. Raises DATABASE_DIFFERS for other rows."""
    with opened(file, writing=False) as connection, faults("DATABASE_REFUSED", str(file)):
        if layout.is_empty(connection):
            return None
        layout.check_format(connection, str(file))
        run = _known(connection, source)
        if run is None:
            return None
        there = {name: _count(connection, source.model, name, run) for name in source.rows}
    if there != source.rows:
        differing = ", ".join(name for name, rows in source.rows.items() if there[name] != rows)
        message = f"holds this run as number {run} with other rows in {differing}; `--force` loads it anew"
        raise CivlabError("DATABASE_DIFFERS", str(file), message)
    return run


def _count(connection: Connection, model: str, table: str, run: int) -> int:
    if not layout.columns_of(connection, model, table):
        return 0
    return number(connection, f"SELECT count(*) FROM {quoted(model, table)} WHERE run = ?", [run]) or 0


def _known(connection: Connection, source: Source) -> int | None:
    return number(
        connection,
        f"SELECT run FROM main.{layout.RUN} WHERE digest = ? AND run_hash = ?",
        [source.manifest.digest, source.manifest.run],
    )


def _next(connection: Connection) -> int:
    return 1 + (number(connection, f"SELECT max(run) FROM main.{layout.RUN}") or 0)


def _remove(connection: Connection, run: int, model: str) -> None:
    """Takes a run out of every table that there is."""
    tables = [quoted(model, table) for table in layout.tables_of(connection, model)]
    for name in (*tables, f"main.{layout.RUN_PARAMETER}", f"main.{layout.RUN}"):
        connection.execute(f"DELETE FROM {name} WHERE run = ?", [run])


def _describe(connection: Connection, source: Source, run: int) -> None:
    """What the run was, and every number of its scenario."""
    spec, manifest = source.spec, source.manifest
    makers = manifest.made_by
    facts = {
        "run": run,
        "digest": manifest.digest,
        "run_hash": manifest.run,
        "scenario_hash": manifest.scenario,
        "model": source.model,
        "title": manifest.title,
        "seed": manifest.seed,
        "ticks": manifest.ticks,
        "tick_name": spec.scenario.tick_name,
        "members": manifest.members,
        "scenario": spec.text,
        "overrides": canonical_json(dict(spec.overrides)).decode(),
        "ensemble": canonical_json(spec.ensemble.to_wire()).decode(),
        "version": ", ".join(dict.fromkeys(by.version for by in makers)),
        "backend": ", ".join(dict.fromkeys(by.backend for by in makers)),
    }
    layout.insert_rows(connection, layout.RUN, [tuple(facts[column.name] for column in layout.RUN_COLUMNS)])
    numbers = [
        (run, path, str(found.value), float(found.value), found.unit, path in manifest.parameters)
        for path, found in parameters(spec.scenario).items()
    ]
    layout.insert_rows(connection, layout.RUN_PARAMETER, numbers)


def _fill(connection: Connection, source: Source, run: int, table: str, *, path: str) -> None:
    """One table of the run; of one that is not wanted, the columns alone."""
    name, meaning = quoted(source.model, table), table_meanings(source.spec.results).get(table, "")
    if table not in source.rows:
        declared = source.spec.schemas[table]
        layout.adopt(connection, source.model, table, declared, meaning=meaning, path=path)
    for item in source.files:
        if item.table == table:
            with _checked(source.store, item) as parquet:
                layout.adopt(connection, source.model, table, parquet.schema_arrow, meaning=meaning, path=path)
                for group in range(parquet.num_row_groups):
                    connection.register("part", parquet.read_row_group(group, use_threads=False))
                    connection.execute(f"INSERT INTO {name} BY NAME SELECT {run}::UINTEGER AS run, * FROM part")
                    connection.unregister("part")


@contextmanager
def _checked(store: Store, item: TableFile) -> Iterator[pq.ParquetFile]:
    """One file of a table, read from the very bytes that were checked against the manifest.

    Raises CivlabError RESULT_MISMATCH.
    """
    address = store.address(item.path)
    if store.size(item.path) != item.size:
        raise CivlabError("RESULT_MISMATCH", address, f"does not have the {item.size} bytes it had; {REMEDY}")
    with store.reader(item.path) as file:
        if _digest(file.read) != item.blake3:
            raise CivlabError("RESULT_MISMATCH", address, f"does not have the hash that the manifest names; {REMEDY}")
        file.seek(0)
        try:
            yield open_parquet(file)
        except (pa.ArrowException, OSError) as fault:
            raise CivlabError("RESULT_MISMATCH", address, f"is no table that can be read ({fault}); {REMEDY}") from None


def _digest(read: Callable[[int], bytes]) -> str:
    hasher = blake3()
    while chunk := read(CHUNK):
        hasher.update(chunk)
    return str(hasher.hexdigest())
