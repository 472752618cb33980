"""The analyses from the shell: what is printed, what is written, and how they stop."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import civlab
from civlab.cli.analysing import bar
from civlab.cli.command import main

pytestmark = pytest.mark.kernel
COMMAND = [sys.executable, "-c", "from civlab.cli import main; main()"]
PATIENCE_SECONDS = 120
TARGETS = """\
parameters:
  - {name: configuration.feedback, minimum: 0.6, maximum: 3}
targets:
  - {figure: final_warming, value: 1.7, tolerance: 0.1}
trials: 3
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def shell(*arguments: object) -> Ended:
    """Run the command to its end, in this process."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            return Ended(int(end.code or 0), output.getvalue(), errors.getvalue())
    return Ended(0, output.getvalue(), errors.getvalue())


def json_of(done: Ended, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    assert done.returncode == code, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def refusal(*arguments: object) -> tuple[str, str]:
    """Code and path of a refusal, which is never a traceback."""
    error = json_of(shell(*arguments, "--json"), 2)["error"]
    return error["code"], error["path"]


@pytest.fixture
def economy(tmp_path: Path, savers: str) -> Path:
    """The savers' file."""
    path = tmp_path / "savers.yaml"
    path.write_text(savers)
    return path


@pytest.fixture
def climate(tmp_path: Path, warming: str) -> Path:
    """The warming century's file, and its targets beside it."""
    path = tmp_path / "warming.yaml"
    path.write_text(warming)
    path.with_name("targets.yaml").write_text(TARGETS)
    return path


def test_sensitivity_prints_a_table_with_what_matters_most_first(economy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--parameter", "population.money=500..900", "--parameter", "exchange.saving=0..0.9", "--outcome", "gini")
    more = ("--method", "morris", "--samples", 3, "--replicates", 2, "--threads", 1, "-o", out)
    done = shell("sensitivity", economy, *options, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("exchange.saving") < done.stdout.index("population.money")
    assert "chance:" in done.stdout
    again = json_of(shell("sensitivity", economy, *options, *more, "--json"))
    assert (again["state"], again["points"], again["replicates"]) == ("complete", 9, 2)
    assert again["digest"] == civlab.open(out / "run").manifest.digest
    assert done.stdout.rstrip().endswith(again["digest"])
    assert {index["name"] for index in again["parameters"]} == {"population.money", "exchange.saving"}


def test_sensitivity_refuses_by_code_and_place(economy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("sensitivity", economy, "-o", out, "--outcome")
    saving = ("--parameter", "exchange.saving=0..0.9")
    assert refusal(*asked, "gini", "--parameter", "exchange.saving") == ("RANGE_MALFORMED", "--parameter")
    assert refusal(*asked, "geny", *saving) == ("OUTCOME_UNKNOWN", "outcome")
    assert refusal(*asked, "gini", *saving, "--samples", 7) == ("SENSITIVITY_SAMPLES", "samples")
    assert refusal(*asked, "gini", *saving, "--method", "delta")[0] == "USAGE"
    assert not out.exists()


def test_calibrate_prints_and_keeps_the_best(climate: Path, tmp_path: Path) -> None:
    out, targets = tmp_path / "out", climate.with_name("targets.yaml")
    done = shell("calibrate", climate, "--targets", targets, "-o", out, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "Best of 3 trials" in done.stdout
    assert f"civlab run {climate} --seed 0 --members 1 --set configuration.feedback=" in done.stdout
    again = json_of(shell("calibrate", climate, "--targets", targets, "-o", out, "--trials", 4, "--json"))
    assert len(again["trials"]) == 4
    assert civlab.open(again["run"].removeprefix("file://")).manifest.digest == again["best"]["digest"]
    assert (out / "convergence.png").read_bytes().startswith(b"\x89PNG")
    targets.write_text(TARGETS.replace("final_warming", "final_warning"))
    assert refusal("calibrate", climate, "--targets", targets, "-o", out) == ("OUTCOME_UNKNOWN", "targets.0.figure")
    assert refusal("calibrate", climate, "--targets", tmp_path / "no", "-o", out)[0] == "TARGETS_NOT_FOUND"


@pytest.mark.long
def test_a_search_that_is_told_to_stop_keeps_its_trials_and_exits_with_75(climate: Path, tmp_path: Path) -> None:
    out, targets = tmp_path / "out", climate.with_name("targets.yaml")
    search = ("calibrate", str(climate), "--targets", str(targets), "-o", str(out), "--threads", "1", "--json")
    process = subprocess.Popen(
        [*COMMAND, *search, "--trials", "9999"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = out / "trials.journal"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not journal.exists() or b'"state":1' not in journal.read_bytes():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 75, errors
    assert json.loads(output)["state"] == "stopped"
    found = json_of(shell(*search, "--trials", "1"))
    assert found["complete"]
    assert len(found["trials"]) >= 1


def test_burn_in_says_where_a_metric_settles_and_exits_with_1_where_it_does_not(
    economy: Path, climate: Path, tmp_path: Path
) -> None:
    out, picture = tmp_path / "out", tmp_path / "burn-in.svg"
    assert shell("run", economy, "--ticks", 120, "--members", 8, "--no-report", "-o", out).returncode == 0
    found = json_of(shell("check", "burn-in", out, "--metric", "squares", "--plot", picture, "--json"))
    assert (found["found"], found["members"], found["rule"]) == (True, 8, "MSER-5")
    assert 0 < found["tick"] < 40  # relaxation takes some rounds: the first holdings are equal
    stationary = 800 * 1000**2 * (1 + (1 - 0.2) / (1 + 2 * 0.2))  # Lallouache and others (2010)
    assert found["mean"] == pytest.approx(stationary, rel=0.02)
    assert "<svg" in picture.read_text()
    assert "is stationary from round" in shell("check", "burn-in", out, "--metric", "squares").stdout
    rising = tmp_path / "rising"
    assert shell("run", climate, "--no-report", "-o", rising).returncode == 0
    assert not json_of(shell("check", "burn-in", rising, "--metric", "sea_level", "--json"), 1)["found"]
    assert "does not become stationary" in shell("check", "burn-in", rising, "--metric", "sea_level").stdout


def test_burn_in_refuses_by_code_and_place(economy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert shell("run", economy, "--no-report", "-o", out).returncode == 0
    assert refusal("check", "burn-in", out, "--metric", "square") == ("OUTCOME_UNKNOWN", "--metric")
    assert refusal("check", "burn-in", out, "--metric", "squares") == ("BURN_IN_TOO_SHORT", "ticks")
    assert refusal("check", "burn-in", tmp_path, "--metric", "squares")[0] == "RUN_NOT_COMPLETE"
    assert refusal("check", "burn-in", out, "--metric", "squares", "--plot", "x.gif")[0] == "USAGE"


@pytest.mark.unit
def test_a_bar_is_as_long_as_its_share() -> None:
    assert bar(1) == "█" * 24
    assert bar(0.5) == "█" * 12
    assert bar(1 / 48) == "▌"
    assert (bar(0), bar(-0.1), bar(7)) == ("", "", "█" * 24)


@pytest.mark.long
def test_check_time_step_prints_a_block_an_outcome_and_says_whether_it_holds(tmp_path: Path) -> None:
    town = tmp_path / "town.yaml"
    shape = "population: {size: 1000}\nworld: {map: {regions: 2}}\n"
    town.write_text(f"apiVersion: civlab/v1\nmodel: civilisation\ntitle: Town\nticks: 52\n{shape}")
    asked = ("check", "time-step", town, "--outcome", "citizens", "--members", 4, "--threads", 1, "--tolerance", 1000)
    done = shell(*asked)
    assert done.returncode == 0, done.stderr
    title, head, *rows = done.stdout.splitlines()
    assert title == "people.round: 4 seeds at each step, 52 weeks"
    assert head.split() == ["outcome", "weeks", "mean", "difference", "±", "error", "in", "spreads", "verdict"]
    assert [row.removeprefix("citizens").split()[0] for row in rows[:4]] == ["1", "2", "4", "13"]
    assert "people.round = 4 is fine enough" in done.stdout
    found = json_of(shell(*asked, "--json"))
    assert (found["holds"], found["step"]["own"], found["seeds"]) == (True, 4, 4)
    assert f"digest {found['digest']}" in done.stdout
    finest, *_ = found["outcomes"][0]["steps"]
    assert float(rows[0].split()[2]) == pytest.approx(finest["mean"], rel=1e-5)


@pytest.mark.long
def test_check_time_step_ends_with_1_where_an_outcome_is_beyond_the_tolerance(tmp_path: Path) -> None:
    town = tmp_path / "town.yaml"
    shape = "population: {size: 1000}\nworld: {map: {regions: 2}}\npeople: {round: 13, mortality: 5}\n"
    town.write_text(f"apiVersion: civlab/v1\nmodel: civilisation\ntitle: Town\nticks: 52\n{shape}")
    asked = ("check", "time-step", town, "--outcome", "citizens", "--members", 2, "--threads", 1, "--tolerance", 0)
    done = shell(*asked, "-o", tmp_path / "kept")
    assert done.returncode == 1, done.stderr
    assert "differs" in done.stdout
    assert json.loads((tmp_path / "kept" / "time-step.json").read_text())["holds"] is False


def test_check_time_step_refuses_a_model_whose_only_step_is_the_tick(economy: Path, climate: Path) -> None:
    for scenario in (economy, climate, "epidemic"):
        assert refusal("check", "time-step", scenario) == ("STEP_FIXED", "model")
