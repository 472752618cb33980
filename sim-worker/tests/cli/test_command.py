"""The command line as a user meets it: killed and resumed, told nonsense, asked for everything it can do."""

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

from civlab.cli.command import VERBS, main
from civlab.cli.output import bar_chart, human_bytes, human_count, human_seconds
from parpour_contracts.scenario import BUILTIN

COMMAND = [sys.executable, "-c", "from civlab.cli import main; main()"]
SLOW_TOWN = ("--set", "population.size=20000", "--ticks", "120", "--members", "4", "--seed", "3", "--threads", "1")
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def civlab(*arguments: object) -> Ended:
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
    error = json_of(civlab(*arguments, "--json"), 2)["error"]
    assert error["message"]
    return error["code"], error["path"]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, small_town: str) -> Path:
    """The small town's file."""
    path = tmp_path_factory.mktemp("scenario") / "town.yaml"
    path.write_text(small_town, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, town: Path) -> str:
    """The digest of the slow town when nothing disturbs it."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    digest = json_of(civlab("run", town, *SLOW_TOWN, "-o", out, "--no-report", "--json"))["digest"]
    assert isinstance(digest, str)
    return digest


def start_and_await_a_checkpoint(town: Path, out: Path) -> subprocess.Popen[str]:
    """A run of the slow town whose first checkpoint stands."""
    process = subprocess.Popen(
        [*COMMAND, "run", str(town), *SLOW_TOWN, "-o", str(out), "--checkpoint-every", "4", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list(out.glob("checkpoints/*/*.json")):
        assert process.poll() is None, "the run ended before it was disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return process


@pytest.mark.kernel
def test_a_killed_run_resumes_to_the_same_digest(tmp_path: Path, town: Path, undisturbed: str) -> None:
    out = tmp_path / "out"
    process = start_and_await_a_checkpoint(town, out)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "manifest.json").exists()
    document = json_of(civlab("resume", out, "--threads", 2, "--no-report", "--json"))
    assert document["digest"] == undisturbed
    assert document["ticksResumed"] > 0


@pytest.mark.kernel
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_stop_leaves_a_checkpoint_and_exits_with_75(
    tmp_path: Path, town: Path, undisturbed: str, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = start_and_await_a_checkpoint(town, out)
    process.send_signal(number)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 75, errors
    stopped = json.loads(output)
    assert stopped["resume"] == f"civlab resume {out}"
    assert 0 < stopped["ticksDone"] < stopped["ticksTotal"]
    document = json_of(civlab("resume", out, "--no-report", "--json"))
    assert (document["digest"], document["ticksResumed"]) == (undisturbed, stopped["ticksDone"])


@pytest.mark.kernel
@pytest.mark.parametrize(
    "cut",
    [("--threads", 2), ("--shards", 4), pytest.param(("--checkpoint-every", 1, "--shards", 2), marks=pytest.mark.long)],
)
def test_threads_shards_and_checkpoints_change_no_digest(
    tmp_path: Path, town: Path, undisturbed: str, cut: tuple[object, ...]
) -> None:
    document = json_of(civlab("run", town, *SLOW_TOWN, *cut, "-o", tmp_path / "out", "--no-report", "--json"))
    assert document["digest"] == undisturbed


@pytest.mark.kernel
def test_a_population_is_the_parameter_of_the_same_meaning(tmp_path: Path, town: Path, undisturbed: str) -> None:
    shape = ("--population", 20000, *SLOW_TOWN[2:])
    assert (
        json_of(civlab("run", town, *shape, "-o", tmp_path / "out", "--no-report", "--json"))["digest"] == undisturbed
    )


@pytest.mark.kernel
def test_a_run_without_a_place_keeps_nothing_and_has_the_same_digest(
    tmp_path: Path, town: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = civlab("run", town, *SLOW_TOWN)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith(undisturbed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kernel
def test_the_verbs_follow_each_other(tmp_path: Path, town: Path) -> None:
    """run, the summary for people, verify, diff, report: the way through a first afternoon."""
    out, other = tmp_path / "out", tmp_path / "other"
    done = civlab("run", town, "--members", 3, "--seed", 9, "-o", out, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "attack_rate" in done.stdout
    assert "█" in done.stdout
    assert (out / "report.html").stat().st_size > 50_000
    assert civlab("verify", out).returncode == 0
    again = json_of(civlab("run", town, "--members", 3, "--seed", 9, "-o", other, "--set", "hospital.beds=1", "--json"))
    assert again["metrics"]["deaths"]["low"] >= 0
    found = json_of(civlab("diff", out, other, "--json"), 1)["difference"]
    assert found["member"] == 0
    assert json_of(civlab("diff", out, out, "--json")) == {"equal": True, "difference": None}
    assert civlab("report", out, "-o", tmp_path / "r.html", "--png", tmp_path / "r.png").returncode == 0
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.kernel
def test_verify_exits_with_1_and_says_what_was_changed(tmp_path: Path, town: Path) -> None:
    out = tmp_path / "out"
    json_of(civlab("run", town, "-o", out, "--no-report", "--json"))
    table = out / "tables/members/shard-00000.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"?")
    document = json_of(civlab("verify", out, "--json"), 1)
    assert [finding["code"] for finding in document["findings"]] == ["RESULT_MISMATCH"]
    assert civlab("verify", out).returncode == 1


@pytest.mark.kernel
def test_another_run_in_the_place_is_refused_unless_forced(tmp_path: Path, town: Path) -> None:
    out = tmp_path / "out"
    first = json_of(civlab("run", town, "-o", out, "--no-report", "--json"))
    assert refusal("run", town, "--seed", 1, "-o", out) == ("PLACE_TAKEN", str(out))
    assert json_of(civlab("run", town, "-o", out, "--no-report", "--json"))["digest"] == first["digest"]
    forced = json_of(civlab("run", town, "--seed", 1, "-o", out, "--force", "--no-report", "--json"))
    assert forced["digest"] != first["digest"]


@pytest.mark.kernel
def test_nothing_is_written_for_bad_input(tmp_path: Path, town: Path) -> None:
    out = tmp_path / "out"
    assert refusal("run", town, "--set", "disease.ro=2", "-o", out) == ("SCENARIO_UNKNOWN_PARAMETER", "disease.ro")
    assert not out.exists()


@pytest.mark.kernel
def test_bad_input_is_named_with_code_and_place(tmp_path: Path, town: Path) -> None:
    huge, odd, double = tmp_path / "huge.yaml", tmp_path / "odd.yaml", tmp_path / "double.yaml"
    huge.write_text("# " + "x" * 10_000_000)
    odd.write_bytes(b"\xff\xfe\x00")
    double.write_text("apiVersion: civlab/v1\napiVersion: civlab/v1\n")
    assert refusal("run", tmp_path / "none.yaml") == ("SCENARIO_NOT_FOUND", str(tmp_path / "none.yaml"))
    assert refusal("run", huge)[0] == "SCENARIO_TOO_LARGE"
    assert refusal("run", odd)[0] == "SCENARIO_MALFORMED"
    assert refusal("run", double) == ("SCENARIO_DUPLICATE_KEY", "apiVersion")
    assert refusal("run", town, "--members", 2, "--shards", 3) == ("RUN_SHARDS_OUT_OF_RANGE", "shards")
    assert (
        refusal("run", town, "--design", "grid:disease.r0=1,2,3", "--members", 4)[0] == "DESIGN_MEMBERS_NOT_A_MULTIPLE"
    )
    assert refusal("run", town, "--design", "cube:disease.r0=1")[0] == "DESIGN_MALFORMED"
    assert refusal("run", town, "-o", "s3://user:secret@bucket/x")[0] == "STORE_ADDRESS_WRONG"
    assert refusal("resume", tmp_path) == ("RUN_NOT_FOUND", str(tmp_path))
    assert refusal("report", tmp_path)[0] == "RUN_NOT_COMPLETE"
    assert refusal("run", town, "--threads", 0)[0] == "USAGE"


@pytest.mark.kernel
def test_explain_prints_the_tick_and_an_estimate(town: Path) -> None:
    document = json_of(civlab("explain", town, "--members", 10, "--json"))
    assert [phase["name"] for phase in document["phases"]][:2] == ["progress", "introduce"]
    assert document["agents"] == 6000
    assert document["parameters"]["disease.r0"]["value"] == "3"
    assert document["memoryBytes"] > 6000 * 20
    assert document["memoryBytes"] == 10 * document["memberBytes"] > document["copiesBytes"] > 0
    text = civlab("explain", town).stdout
    for words in ("agent-days", "copies for checkpoints and tables", "one member needs", "the program 192.0 MiB"):
        assert words in text


@pytest.mark.kernel
def test_explain_adds_up_members_of_several_sizes_and_names_the_largest(town: Path) -> None:
    design = "grid:population.size=600,60000"
    document = json_of(civlab("explain", town, "--members", 2, "--design", design, "--json"))
    alone = [
        json_of(civlab("explain", town, "--set", f"population.size={size}", "--json"))["memoryBytes"]
        for size in (600, 60_000)
    ]
    assert document["memoryBytes"] == sum(alone)
    assert document["memberBytes"] == alone[1]


@pytest.mark.kernel
def test_builtin_scenarios_are_listed_shown_and_described() -> None:
    assert {item["name"] for item in json_of(civlab("scenarios", "--json"))["scenarios"]} == set(BUILTIN)
    assert civlab("scenarios", "show", "epidemic").stdout == BUILTIN["epidemic"]
    assert "oneOf" in json_of(civlab("scenarios", "schema"))
    assert refusal("scenarios", "show", "epidemik")[0] == "SCENARIO_UNKNOWN_BUILTIN"


@pytest.mark.kernel
def test_bench_prints_a_row_for_each_scenario_and_thread_count() -> None:
    rows = json_of(civlab("bench", "--agents", 2000, "--json"))["rows"]
    assert {row["scenario"] for row in rows} == {"epidemic", "epidemic-contact"}
    assert all(row["agent_updates_per_second"] > 0 for row in rows)


@pytest.mark.kernel
def test_every_verb_explains_itself_with_an_example() -> None:
    overview = civlab("--help").stdout
    assert "Exit codes" in overview
    for verb in VERBS:
        assert f"  {verb} " in overview
        text = civlab(verb, "--help").stdout
        assert f"civlab {verb}" in text
        assert "--json" in text


@pytest.mark.unit
def test_a_chart_is_as_high_as_asked_and_peaks_where_the_values_do() -> None:
    lines = bar_chart([0, 1, 2, 4, 2, 1, 0, 0], width=4, height=3)
    assert len(lines) == 3
    assert lines[0].strip() == "█"
    assert lines[0].index("█") == 1
    assert bar_chart([], width=4, height=3) == []
    assert bar_chart([0, 0], width=4, height=1) == [""]


@pytest.mark.unit
def test_figures_are_written_for_people() -> None:
    assert [human_count(value) for value in (999, 25_000, 1.5e7, 2e9)] == ["999", "25.0 k", "15.0 M", "2.0 G"]
    assert [human_bytes(value) for value in (12, 2048, 3 << 20, 1 << 41)] == ["12 B", "2.0 KiB", "3.0 MiB", "2.0 TiB"]
    assert [human_seconds(value) for value in (0.75, 42, 200, 7500)] == ["0.8 s", "42 s", "3 min 20 s", "2 h 5 min"]
