"""Asking: every shipped query answers, checks find what was tampered with, and nothing can be changed by a question."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import civlab
from civlab.cli.command import main
from civlab.database.queries import queries_of, query_of
from civlab.errors import CivlabError

from .conftest import ASKED, LOADED, CopyOf

pytestmark = pytest.mark.kernel

SHIPPED = [(model, query.name) for model in ASKED for query in queries_of(model)]
TAMPERINGS = [
    ("civilisation", "UPDATE civilisation.timeseries SET money = money + 1 WHERE member = 2 AND tick = 7"),
    ("civilisation", "UPDATE civilisation.timeseries SET births = births + 1 WHERE member = 2 AND tick = 7"),
    ("civilisation", "UPDATE civilisation.timeseries SET carbon_air = carbon_air - 1 WHERE member = 2 AND tick = 7"),
    ("civilisation", "UPDATE civilisation.timeseries SET estates = NULL WHERE member = 2 AND tick = 7"),
    ("civilisation", "DELETE FROM civilisation.timeseries WHERE member = 2 AND tick = 7"),
    *(
        ("civilisation", f"UPDATE civilisation.{table} SET {column} = {column} + 1 WHERE member = 2 AND {where}")
        for table, column, where in (
            ("finance", "cash", "tick = 7 AND nation = 1"),
            ("finance", "pensions", "tick = 7 AND nation = 1"),
            ("finance", "interest_public", "tick = 7 AND nation = 1"),
            ("finance", "lent", "tick = 7 AND nation = 1"),
            ("finance", "unclaimed", "tick = 7 AND nation = 1"),
            ("nation", "consumption", "tick = 7 AND nation = 1"),
            ("nation", "imports", "tick = 7 AND nation = 1"),
            ("region", "citizens", "quarter = 3 AND region = 5"),
            ("region", "extracted", "quarter = 3 AND region = 5"),
            ("region", "wild", "quarter = 3 AND region = 5"),
            ("region", "arrivals", "quarter = 3 AND region = 5"),
            ("market", "sold", "year = 1 AND region = 5 AND good = 'food'"),
            ("market", "used", "year = 1 AND region = 5 AND good = 'energy'"),
            ("goods", "stock", "year = 1 AND good = 'materials'"),
            ("trade", "money", "year = 1 AND exporter = 0 AND good = 'food'"),
            ("demographic", "citizens", "nation = 0 AND sex = 'woman' AND age = 30"),
            ("generation", "households", "nation = 0 AND generation = 0 AND age_from = 40"),
            ("firm", "loan", "firm = 3"),
            ("lorenz", "deposits", "percent = 100"),
            ("invariant", "counted", "number = 2"),
        )
    ),
    ("civilisation", "DELETE FROM civilisation.finance WHERE member = 2 AND tick = 7 AND nation = 1"),
    ("civilisation", "DELETE FROM civilisation.region WHERE member = 2 AND quarter = 3 AND region = 5"),
    ("civilisation", "DELETE FROM civilisation.invariant WHERE member = 2 AND number = 18"),
    ("exchange", "UPDATE exchange.timeseries SET money = money + 1 WHERE member = 2 AND tick = 7"),
    ("exchange", "UPDATE exchange.timeseries SET money = NULL WHERE member = 2 AND tick = 7"),
    ("exchange", "DELETE FROM exchange.timeseries WHERE member = 2 AND tick = 7"),
    ("exchange", "UPDATE exchange.holdings SET money = money - 1 WHERE member = 2 AND from_eighths = 8"),
    ("exchange", "UPDATE exchange.holdings SET agents = agents + 1 WHERE member = 2 AND from_eighths = 8"),
    ("climate", "UPDATE climate.timeseries SET emissions = emissions + 1 WHERE member = 2 AND tick = 7"),
    ("climate", "UPDATE climate.timeseries SET uptake = uptake - 1 WHERE member = 2 AND tick = 7"),
    (
        "climate",
        "UPDATE climate.timeseries SET carbon_atmosphere = carbon_atmosphere + 1 WHERE member = 2 AND tick = 7",
    ),
    ("climate", "DELETE FROM climate.timeseries WHERE member = 2 AND tick = 0"),
    ("epidemic", "UPDATE epidemic.timeseries SET recovered = recovered - 1 WHERE member = 2 AND tick = 7"),
    ("epidemic", "UPDATE epidemic.timeseries SET introduced = introduced + 1 WHERE member = 2 AND tick = 7"),
    ("epidemic", "UPDATE epidemic.timeseries SET new_deaths = new_deaths + 1 WHERE member = 2 AND tick = 7"),
    ("epidemic", "UPDATE epidemic.ages SET persons = persons + 1 WHERE member = 2 AND age_from = 30"),
]


def refusal(ask: Callable[[], Any]) -> CivlabError:
    """The error that a question ends in."""
    with pytest.raises(CivlabError) as caught:
        ask()
    return caught.value


def shell(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of `civlab query`."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            main(["query", *map(str, arguments)])
        except SystemExit as end:
            return int(end.code or 0), output.getvalue(), errors.getvalue()
    return 0, output.getvalue(), errors.getvalue()


@pytest.mark.parametrize(("model", "name"), SHIPPED, ids=lambda value: value)
def test_every_shipped_query_answers_for_a_run_of_its_model(model: str, name: str, database: Path) -> None:
    answer = civlab.query(database, name, model=model)
    assert answer.query is not None
    assert answer.holds
    assert bool(answer.rows) is not answer.query.check
    numbers = [value for row in answer.rows for value in row if isinstance(value, float)]
    assert np.isfinite(numbers).all()


@pytest.fixture(scope="module")
def tampered(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the file that may be changed and rolled back."""
    file = tmp_path_factory.mktemp("tampered") / "copy.duckdb"
    file.write_bytes(database.read_bytes())
    with duckdb.connect(str(file)) as connection:
        yield connection


@pytest.mark.parametrize(("model", "tampering"), TAMPERINGS, ids=lambda value: value.partition(".")[2])
def test_a_row_that_was_tampered_with_breaks_conservation(
    model: str, tampering: str, tampered: duckdb.DuckDBPyConnection
) -> None:
    tampered.execute(f"SET search_path = '{model},main'")
    tampered.begin()
    tampered.execute(tampering)
    rows = tampered.execute(query_of(model, "conservation").sql).fetchall()
    tampered.rollback()
    assert {row[1] for row in rows} == {2}


def test_a_run_and_a_file_answer_alike(runs: Mapping[str, Path], database: Path) -> None:
    ours = civlab.query(runs["exchange"], "gini")
    loaded = civlab.query(database, "gini", model="exchange")
    assert [row[1:] for row in ours.rows] == [row[1:] for row in loaded.rows]
    assert (ours.columns, ours.types) == (loaded.columns, loaded.types)


def test_of_a_run_only_the_tables_are_read_that_a_question_names(runs: Mapping[str, Path], copy_of: CopyOf) -> None:
    run = copy_of(runs["exchange"])
    (run / "tables" / "holdings" / "shard-00000.parquet").unlink()
    assert len(civlab.query(run, "gini").rows) == 6
    assert refusal(lambda: civlab.query(run, "distribution")).code == "RESULT_MISMATCH"


def test_the_gini_coefficient_of_a_hundred_steps_is_the_exact_one_but_for_their_width(database: Path) -> None:
    answer = civlab.query(database, "gini", model="exchange")
    exact, by_area = (np.array(answer.column(name)) for name in ("gini", "gini_by_area"))
    assert np.abs(exact - by_area).max() < 0.005
    assert (exact >= by_area).all()  # a chord lies above a convex curve
    assert answer.column("saving") == [0, 0, 0.3, 0.3, 0.6, 0.6]


def test_the_gini_coefficient_of_deposits_is_the_area_of_its_curve_but_for_the_width_of_its_steps(
    database: Path,
) -> None:
    answer = civlab.query(database, "gini", model="civilisation")
    exact, by_area = (np.array(answer.column(name)) for name in ("deposits", "deposits_by_area"))
    assert np.abs(exact - by_area).max() < 0.005
    assert (exact >= by_area).all()


def test_accounts_are_compared_to_the_last_unit(database: Path) -> None:
    answer = civlab.query(database, "conservation", model="civilisation")
    types = dict(zip(answer.columns, answer.types, strict=True))
    assert (types["found"], types["expected"]) == ("DECIMAL(38,0)", "DECIMAL(38,0)")


def test_moves_between_zones_are_all_moves(runs: Mapping[str, Path], database: Path) -> None:
    moves = civlab.open(runs["civilisation"]).arrow("timeseries", ["moves"]).column(0).to_pylist()
    assert sum(civlab.query(database, "migration_flows").column("moved")) == sum(moves)


def test_the_energy_return_is_what_the_tables_of_technology_and_energy_say(
    runs: Mapping[str, Path], database: Path
) -> None:
    run = civlab.open(runs["civilisation"])
    technology, goods, energy = (run.arrow(name).to_pylist() for name in ("technology", "goods", "energy"))
    spent = sum(
        made["made"] * row["units"] * row["input_intensity"] / row["input_lot"] / row["lot"]
        for made in goods
        if (made["member"], made["year"]) == (0, 0)
        for row in technology
        if row["member"] == 0 and row["industry"] == made["good"]
        if made["good"] == "fuel" or (made["good"] == "energy" and row["input"] != "fuel")
    )
    made = sum(int(row["made"]) for row in energy if (row["member"], row["year"]) == (0, 0)) / 1000
    answer = civlab.query(database, "energy_return")
    low, high = (answer.column(name)[answer.column("year").index(0)] for name in ("low", "high"))
    assert low * 0.98 < made / float(spent) < high * 1.02


def test_the_carbon_budget_ends_with_what_the_members_emitted(runs: Mapping[str, Path], database: Path) -> None:
    emitted = civlab.open(runs["climate"]).arrow("timeseries", ["emissions"]).column(0).to_pylist()
    answer = civlab.query(database, "carbon_budget")
    assert answer.column("emitted")[-1] == pytest.approx(sum(emitted) / 6 / 1e12)
    assert (answer.column("year")[0], answer.column("year")[-1]) == (1990, 2049)


def test_attack_rates_by_age_are_those_of_the_people(runs: Mapping[str, Path], database: Path) -> None:
    ages = civlab.open(runs["epidemic"]).arrow("ages")
    persons, infected = (np.array(ages.column(name)).reshape(6, 9).sum(axis=0) for name in ("persons", "infected"))
    answer = civlab.query(database, "attack_rate")
    assert answer.column("infected") == pytest.approx((100 * infected / persons).tolist())
    assert answer.column("age")[0::8] == ["0–9", "80+"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM exchange.members",
        "CREATE TABLE more (one INTEGER)",
        "SELECT 1; DELETE FROM exchange.members",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "SET threads = 1",
        "INSTALL httpfs",
        "-- nothing",
    ],
)
def test_what_is_no_select_is_refused(statement: str, database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    assert refusal(lambda: civlab.query(database, sql=statement.format(folder=tmp_path))).code == "QUERY_REFUSED"
    assert list(tmp_path.iterdir()) == []
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "question",
    [
        "FROM read_csv('{folder}/secret.csv')",
        "FROM '{folder}/secret.csv'",
        "FROM glob('{folder}/*')",
        "FROM connection",
        "FROM answers",
        "SELECT member + FROM members",
        "SELECT nothing FROM run",
        "SELECT 99999999999999999999999999999999999999::HUGEINT * 10",
        "SELECT 1 AS one, 2 AS one",
    ],
)
def test_a_question_sees_no_file_and_no_variable_and_no_wrong_sum(
    question: str, database: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    assert refusal(lambda: civlab.query(database, sql=question.format(folder=tmp_path))).code == "QUERY_FAILED"


def test_a_file_of_several_models_asks_which_is_meant_only_where_it_must(database: Path) -> None:
    assert len(civlab.query(database, "dispersion").rows) == 3 * 12
    assert refusal(lambda: civlab.query(database, "conservation")).code == "QUERY_MODEL_UNCLEAR"
    assert civlab.query(database, "conservation", run=1).runs[0].model == "climate"
    assert refusal(lambda: civlab.query(database, sql="FROM timeseries")).code == "QUERY_FAILED"
    assert civlab.query(database, sql="SELECT count(*) FROM timeseries", model="climate").rows == ((360,),)
    assert civlab.query(database, sql="SELECT count(*) FROM run").rows == ((4,),)
    assert refusal(lambda: civlab.query(database, "lorenz", run=9)).code == "RUN_NOT_LOADED"


def test_one_run_of_several_is_asked_alone(
    tmp_path: Path, scenarios: Mapping[str, tuple[str, str]], database: Path, copy_of: CopyOf
) -> None:
    file = copy_of(database)
    civlab.run(scenarios["exchange"][0], tmp_path / "out", members=2, seed=1, threads=1)
    assert civlab.load(tmp_path / "out", file).run == 5
    assert set(civlab.query(file, "dispersion").column("run")) == {3, 5}
    alone = civlab.query(file, "dispersion", run=5)
    assert set(alone.column("run")) == {5}
    assert [entry.run for entry in alone.runs] == [5]
    assert civlab.query(file, sql="SELECT run, members FROM run", run=5).rows == ((5, 2),)
    saving = "SELECT run, member, value FROM parameter('exchange.saving') ORDER BY ALL"
    assert civlab.query(file, sql=saving, run=5).rows == ((5, 0, 0.2), (5, 1, 0.2))
    assert civlab.query(file, "conservation", model="exchange").holds


def test_a_place_without_a_run_is_named(tmp_path: Path, runs: Mapping[str, Path]) -> None:
    assert refusal(lambda: civlab.query(tmp_path, "gini")).code == "RUN_NOT_FOUND"
    assert refusal(lambda: civlab.query(tmp_path / "none", "gini")).code == "STORE_NOT_FOUND"
    assert refusal(lambda: civlab.query(tmp_path / "none.duckdb", "gini")).code == "DATABASE_REFUSED"
    assert refusal(lambda: civlab.query(runs["exchange"], "gini", run=1)).code == "RUN_NOT_LOADED"


def test_a_query_of_ones_own_needs_only_a_file_with_a_header(database: Path, tmp_path: Path) -> None:
    header = "-- title: T\n-- shows: S\n-- source: W\n-- chart: scatter\n-- x: gini\n-- y: median\n"
    own = tmp_path / "own.sql"
    own.write_text(header + "SELECT gini, median FROM members")
    assert len(civlab.query(database, str(own), model="exchange").rows) == 6
    own.write_text(header + "SELECT gini FROM members")
    fault = refusal(lambda: civlab.query(database, str(own), model="exchange"))
    assert (fault.code, "median" in fault.message) == ("QUERY_HEADER_WRONG", True)
    assert refusal(lambda: civlab.query(database, str(tmp_path / "none.sql"), run=3)).code == "QUERY_UNKNOWN"


def test_json_and_csv_have_every_digit(runs: Mapping[str, Path], database: Path) -> None:
    total = sum(civlab.open(runs["exchange"]).arrow("timeseries").column("squares").to_pylist(), Decimal(0))
    question = ("--sql", "SELECT sum(squares) AS total, NULL AS nothing, 'nan'::DOUBLE AS odd FROM exchange.timeseries")
    code, output, _ = shell(database, *question, "--json")
    document = json.loads(output)
    assert (code, document["rows"]) == (0, [{"total": int(total), "nothing": None, "odd": None}])
    assert document["columns"][0] == {"name": "total", "type": "DECIMAL(38,0)"}
    assert list(csv.reader(io.StringIO(shell(database, *question, "--csv")[1]))) == [
        ["total", "nothing", "odd"],
        [str(total), "", "nan"],
    ]


def test_the_shell_lists_prints_and_fails_as_it_says(database: Path, copy_of: CopyOf, tmp_path: Path) -> None:
    listed = json.loads(shell(database, "--json")[1])["queries"]
    assert [(item["model"], item["name"]) for item in listed] == [(m, n) for m in LOADED for x, n in SHIPPED if x == m]
    assert "Lorenz curve" in shell(database, "--list")[1]
    code, output, _ = shell(database, "curve")
    assert (code, "… 40 rows" in output, "Kermack" in output) == (0, False, True)
    assert "360 rows in all" in shell(database, "warming")[1]
    assert "holds for 6 members" in shell(database, "conservation", "--model", "exchange")[1]
    file = copy_of(database)
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE exchange.timeseries SET money = 5 WHERE member = 0 AND tick = 3")
    code, output, errors = shell(file, "conservation", "--run", 3)
    assert (code, "money of all agents" in output, "CHECK_FAILED" in errors) == (1, True, True)
    code, output, _ = shell(file, "conservation", "--run", 3, "--json")
    assert (code, json.loads(output)["error"]["code"], len(json.loads(output)["rows"])) == (1, "CHECK_FAILED", 1)
    for wrong in (("gini", "--sql", "SELECT 1"), ("gini", "--csv", "--json"), ("gini", "--plot", tmp_path / "x.gif")):
        assert json.loads(shell(file, *wrong, "--json")[1])["error"]["code"] == "USAGE"
