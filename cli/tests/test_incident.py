"""`parpour treasury incident` on the audit of a real venture whose agent was revoked."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from parpour_cli.main import command
from parpour_controlplane.testing import Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.auditing.testing import Wronged, wronged
from parpour_treasury.spending.testing import AGENT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("incident")


@pytest.fixture(scope="module")
def handed(postgres: Postgres, folder: Path) -> Wronged:
    handed = asyncio.run(wronged(postgres.place(MIGRATIONS), folder / "audit"))
    (folder / "key").write_text(handed.key.hex())
    return handed


def run(folder: Path, audit: Path, *more: str, verb: str = "incident") -> Result:
    return CliRunner().invoke(command, ["treasury", verb, str(audit), "--key", str(folder / "key"), *more])


def test_it_tells_people_what_happened(handed: Wronged, folder: Path) -> None:
    result = run(folder, folder / "audit", "--agent", AGENT)
    lines = result.output.splitlines()
    assert (result.exit_code, lines[-1]) == (0, "verified")
    assert lines[:2] == [f"venture   {handed.tenant}", f"cause     {AGENT}"]
    assert any(line.startswith("measure") and line.endswith("user:ann member.revoked") for line in lines)
    (row,) = [line for line in lines if line.startswith(str(handed.spends["awaiting"])[:8])]
    assert row.split() == [
        str(handed.spends["awaiting"])[:8],
        "20.00",
        "USD",
        AGENT,
        "awaiting_approval",
        "cancelled",
        "the",
        "same",
    ]


def test_the_bundle_is_the_same_each_time_and_its_audit_verifies(handed: Wronged, folder: Path, tmp_path: Path) -> None:
    options = ["--payee", str(handed.shop), "--since", "2020-01-01", "--json"]
    for name in ("one", "two"):
        assert run(folder, folder / "audit", *options, "-o", str(tmp_path / name)).exit_code == 0
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert [str(path) for path in files] == [
        *(f"audit/{name}.ndjson" for name in ("books", "dossier", "history", "tail")),
        "incident.html",
        "incident.json",
    ]
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    again = run(folder, tmp_path / "one" / "audit", *options)
    assert json.loads(again.output) == json.loads((tmp_path / "one" / "incident.json").read_text())
    assert run(folder, tmp_path / "one" / "audit", verb="verify").exit_code == 0


def test_a_time_without_a_zone_is_utc(handed: Wronged, folder: Path) -> None:
    since = handed.contained_at.replace(tzinfo=None).isoformat()
    found = json.loads(run(folder, folder / "audit", "--agent", AGENT, "--since", since, "--json").output)
    assert str(handed.spends["refused"]) not in {one["spend"]["spend_id"] for one in found["spends"]}


def test_what_contradicts_itself_is_told_and_not_verified(handed: Wronged, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "audit", tmp_path / "audit")
    dossier = tmp_path / "audit" / "dossier.ndjson"
    dossier.write_text(dossier.read_text().replace(r"\"frozen\":false", r"\"frozen\":true"))
    result = run(folder, tmp_path / "audit")
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "NOT VERIFIED")
    assert "AUDIT_DECISION_DIFFERS" in result.output
    assert "DIFFERS" in result.output


@pytest.mark.parametrize("verb", ["verify", "incident"])
def test_what_a_file_says_does_not_reach_the_terminal_as_it_is(
    handed: Wronged, folder: Path, tmp_path: Path, verb: str
) -> None:
    shutil.copytree(folder / "audit", tmp_path / "audit")
    tail = tmp_path / "audit" / "tail.ndjson"
    lines = [json.loads(line) for line in tail.read_text().splitlines()]
    lines[-1] |= {"type": "treasury.spend.settled", "subject": "spend/\x1b[2J"}
    tail.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    result = run(folder, tmp_path / "audit", verb=verb)
    assert (result.exit_code, "spend/?[2J" in result.output, "\x1b" in result.output) == (1, True, False)


def test_a_history_that_proves_nothing_is_no_ground_for_a_post_mortem(
    handed: Wronged, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "audit", tmp_path / "audit")
    history = tmp_path / "audit" / "history.ndjson"
    history.write_text(history.read_text().replace("it buys too much", "it bought nothing"))
    result = run(folder, tmp_path / "audit", "-o", str(tmp_path / "bundle"))
    assert (result.exit_code, "CHAIN_PAYLOAD_CHANGED" in result.output) == (1, True)
    assert not (tmp_path / "bundle").exists()


def test_a_bundle_overwrites_nothing(handed: Wronged, folder: Path, tmp_path: Path) -> None:
    result = run(folder, folder / "audit", "-o", str(tmp_path))
    assert (result.exit_code, "INCIDENT_UNWRITABLE" in result.output) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--since", "yesterday"],
        ["--agent", AGENT, "--payee", "00000000-0000-0000-0000-000000000001"],
        ["--payee", "the shop"],
    ],
)
def test_a_question_that_cannot_be_is_a_usage_error(folder: Path, handed: Wronged, options: list[str]) -> None:
    assert run(folder, folder / "audit", *options).exit_code == 2
