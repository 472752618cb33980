"""Loading a run: everything that it left, exactly as declared, once, and all or nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from blake3 import blake3

import civlab
from civlab.cli.options import parse_design
from civlab.database.loading import load_run
from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.backend import Backend
from civlab.store import open_store
from civlab.store.sealed import seal

from .conftest import ASKED, ECONOMY, CopyOf

pytestmark = pytest.mark.kernel

TYPES = {
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.decimal128(38, 0): "DECIMAL(38,0)",
}
"""What DuckDB's manual has for each type of Arrow that models declare."""


def answers(file: Path, sql: str) -> list[tuple[object, ...]]:
    """Rows of a question put to a database file by DuckDB alone."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def change(file: Path, *statements: str) -> None:
    """Change a database file by DuckDB alone."""
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)


def refusal(run: Path, file: Path) -> str:
    """The code with which loading is refused; the message ends in what to do."""
    with pytest.raises(CivlabError) as caught:
        civlab.load(run, file)
    assert len(caught.value.message) > 20
    return caught.value.code


@pytest.mark.parametrize("model", ASKED)
def test_columns_have_their_declared_types_units_and_meanings(
    model: str, runs: Mapping[str, Path], database: Path
) -> None:
    rows = answers(
        database,
        f"SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = '{model}'",
    )
    found = {(table, column): (kind, comment) for table, column, kind, comment in rows}
    for table, schema in RunSpec.load(open_store(runs[model])).schemas.items():
        assert found.pop((table, "run"))[0] == "UINTEGER"
        for field in schema:
            unit, meaning = (field.metadata[key].decode() for key in (b"unit", b"meaning"))
            assert found.pop((table, field.name)) == (TYPES[field.type], f"{meaning} [{unit}]" if unit else meaning)
    assert found == {}
    assert all(comment for (comment,) in answers(database, "SELECT comment FROM duckdb_tables()"))


@pytest.mark.parametrize("model", ASKED)
def test_every_value_of_every_table_is_there(model: str, runs: Mapping[str, Path], database: Path) -> None:
    results = civlab.open(runs[model])
    ((run, digest),) = answers(database, f"SELECT run, digest FROM run WHERE model = '{model}'")
    assert digest == results.manifest.digest
    for table in dict.fromkeys(item.table for item in results.manifest.tables):
        loaded = answers(database, f"SELECT * EXCLUDE run FROM {model}.{table} WHERE run = {run} ORDER BY rowid")
        columns = results.arrow(table).to_pydict().values()
        assert loaded == list(zip(*columns, strict=True)), table


def test_a_sum_beyond_64_bits_is_exact(runs: Mapping[str, Path], database: Path) -> None:
    squares = civlab.open(runs["exchange"]).arrow("timeseries").column("squares").to_pylist()
    assert min(squares) > 2**64
    ((total, kind),) = answers(database, "SELECT sum(squares), typeof(sum(squares)) FROM exchange.timeseries")
    assert (total, kind) == (sum(squares, Decimal(0)), "DECIMAL(38,0)")


def test_the_run_is_told_with_its_scenario_and_every_number_of_it(database: Path) -> None:
    ((text, title, seed, ticks, version),) = answers(
        database, "SELECT scenario, title, seed, ticks, version FROM run WHERE model = 'exchange'"
    )
    assert (text, title, seed, ticks, version) == (ECONOMY, "Two hundred who save", 5, 12, civlab.__version__)
    numbers = answers(
        database, "SELECT path, text, value, varied FROM run_parameter JOIN run USING (run) WHERE model = 'exchange'"
    )
    assert ("population.money", "1000000000", 1e9, False) in numbers
    assert ("exchange.saving", "0.2", 0.2, True) in numbers


def test_loading_again_changes_nothing(runs: Mapping[str, Path], database: Path, copy_of: CopyOf) -> None:
    file = copy_of(database)
    before = file.read_bytes()
    again = civlab.load(runs["exchange"], file)
    assert (again.new, again.run) == (False, 3)
    assert file.read_bytes() == before


def test_the_same_run_cut_into_other_shards_is_the_same_run(
    tmp_path: Path, scenarios: Mapping[str, tuple[str, str]], database: Path
) -> None:
    text, design = scenarios["exchange"]
    civlab.run(text, tmp_path / "out", members=6, seed=5, design=parse_design([design]), threads=1)
    assert civlab.load(tmp_path / "out", database).new is False


def test_runs_with_other_parameters_stand_side_by_side(tmp_path: Path, database: Path, copy_of: CopyOf) -> None:
    file = copy_of(database)
    design = parse_design(["grid:population.money=100,300"])
    civlab.run(ECONOMY, tmp_path / "out", members=2, design=design, threads=1)
    assert civlab.load(tmp_path / "out", file).run == 5
    columns = 'run, "parameter:exchange.saving", "parameter:population.money"'
    assert answers(file, f"SELECT {columns} FROM exchange.members WHERE member = 1 ORDER BY run") == [
        (3, 0.0, None),
        (5, None, 300.0),
    ]
    saving = answers(file, "FROM exchange.parameter('exchange.saving') WHERE member = 1 ORDER BY run")
    money = answers(file, "FROM exchange.parameter('population.money') WHERE member = 1 ORDER BY run")
    assert (saving, money) == ([(3, 1, 0.0), (5, 1, 0.2)], [(3, 1, 1e9), (5, 1, 300.0)])


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.unlink(),
    ],
    ids=["changed", "cut", "gone"],
)
def test_a_damaged_file_is_refused_and_no_database_is_made(
    damage: Callable[[Path], None], runs: Mapping[str, Path], copy_of: CopyOf, tmp_path: Path
) -> None:
    run = copy_of(runs["exchange"])
    damage(run / "tables" / "lorenz" / "shard-00001.parquet")
    assert refusal(run, tmp_path / "new.duckdb") == "RESULT_MISMATCH"
    assert [path.name for path in tmp_path.iterdir()] == [run.name]


def test_of_a_damaged_run_nothing_comes_into_a_database_that_stands(
    runs: Mapping[str, Path], database: Path, copy_of: CopyOf
) -> None:
    run, standing = copy_of(runs["exchange"]), copy_of(database)
    (run / "tables" / "lorenz" / "shard-00001.parquet").unlink()
    change(standing, "DELETE FROM exchange.timeseries", "DELETE FROM run WHERE model = 'exchange'")
    assert refusal(run, standing) == "RESULT_MISMATCH"
    assert answers(standing, "SELECT (SELECT count(*) FROM run), count(*) FROM exchange.timeseries") == [(3, 0)]


def test_a_table_that_cannot_be_read_leaves_nothing_of_those_before_it(
    runs: Mapping[str, Path], copy_of: CopyOf, tmp_path: Path
) -> None:
    run = copy_of(runs["exchange"])
    data = b"PAR1, but no table"
    (run / "tables" / "lorenz" / "shard-00001.parquet").write_bytes(data)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest.pop("seal")
    manifest["tables"][-1] |= {"size": len(data), "blake3": blake3(data).hexdigest()}
    assert manifest["tables"][-1]["path"].endswith("lorenz/shard-00001.parquet")
    (run / "manifest.json").write_bytes(seal(manifest, readable=True))
    assert refusal(run, tmp_path / "new.duckdb") == "RESULT_MISMATCH"
    assert [path.name for path in tmp_path.iterdir()] == [run.name]


def test_a_killed_load_leaves_no_file_that_is_only_begun(runs: Mapping[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "results.duckdb"
    command = [sys.executable, "-c", "from civlab.cli import main; main()", "load", str(runs["epidemic"])]
    process = subprocess.Popen([*command, "--into", str(file)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.duckdb")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert civlab.load(runs["epidemic"], file).run == 1
    assert answers(file, "SELECT count(*) FROM epidemic.timeseries") == [(6 * 40,)]


def test_a_run_is_loaded_from_a_store_that_is_no_folder(tmp_path: Path) -> None:
    store, spec = open_store("memory://"), RunSpec.create(ECONOMY, seed=2)
    run_whole(spec, store, Backend.cpu(1))
    assert load_run(store, tmp_path / "results.duckdb").tables["lorenz"] == 101
    assert answers(tmp_path / "results.duckdb", "SELECT count(*) FROM exchange.timeseries") == [(12,)]


def test_a_run_that_is_not_complete_is_refused(runs: Mapping[str, Path], copy_of: CopyOf, tmp_path: Path) -> None:
    run = copy_of(runs["climate"])
    (run / "manifest.json").unlink()
    assert refusal(run, tmp_path / "new.duckdb") == "RUN_NOT_COMPLETE"
    assert not (tmp_path / "new.duckdb").exists()


def test_a_file_of_something_else_is_left_alone(runs: Mapping[str, Path], tmp_path: Path) -> None:
    foreign, text = tmp_path / "foreign.duckdb", tmp_path / "text.duckdb"
    change(foreign, "CREATE TABLE mine AS SELECT 1 AS one")
    text.write_text("not a database" * 1000)
    assert refusal(runs["climate"], foreign) == "DATABASE_FORMAT_UNKNOWN"
    assert answers(foreign, "SELECT table_name FROM duckdb_tables()") == [("mine",)]
    assert refusal(runs["climate"], text) == "DATABASE_REFUSED"
    assert text.read_text().startswith("not a database")
    assert refusal(runs["climate"], tmp_path / "none" / "new.duckdb") == "DATABASE_REFUSED"


def test_a_file_that_is_open_elsewhere_is_refused(runs: Mapping[str, Path], database: Path, copy_of: CopyOf) -> None:
    file = copy_of(database)
    with duckdb.connect(str(file)):
        assert refusal(runs["climate"], file) == "DATABASE_REFUSED"


def test_rows_that_went_missing_are_noticed_and_loaded_anew_by_force(
    runs: Mapping[str, Path], database: Path, copy_of: CopyOf
) -> None:
    file = copy_of(database)
    change(file, "DELETE FROM exchange.lorenz WHERE member = 2", "DELETE FROM exchange.members WHERE member = 2")
    assert refusal(runs["exchange"], file) == "DATABASE_DIFFERS"
    again = civlab.load(runs["exchange"], file, force=True)
    assert (again.new, again.run) == (True, 3)
    assert answers(file, "SELECT count(*), count(DISTINCT member) FROM exchange.members") == [(6, 6)]
    assert civlab.load(runs["exchange"], file).new is False


def test_without_the_extra_the_remedy_is_named(runs: Mapping[str, Path], tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['duckdb'] = None; import civlab\n"
        "for ask in (lambda run: civlab.load(run, 'x.duckdb'), lambda run: civlab.query(run, 'warming')):\n"
        "    try: ask(sys.argv[1])\n"
        "    except civlab.CivlabError as fault: print(fault)\n"
    )
    command = [sys.executable, "-c", code, str(runs["climate"])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = "EXTRA_MISSING at civlab[analysis]: DuckDB is not installed; `pip install 'civlab[analysis]'` adds it"
    assert done.stdout.splitlines() == [said, said]
    assert list(tmp_path.iterdir()) == []
