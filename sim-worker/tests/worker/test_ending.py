"""How faults become exit codes and termination messages."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.worker.ending import Ending, done, failed, stopped, without_secrets, write_termination
from civlab.worker.lines import start_lines
from civlab.worker.surroundings import TERMINATION_LOG
from parpour_contracts.exitcodes import ExitCode
from parpour_contracts.messages import TERMINATION_LIMIT, Termination
from parpour_contracts.simulation import Metric

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("RUN_DOCUMENT_WRONG", ExitCode.BAD_SPEC),
        ("SCENARIO_OUT_OF_RANGE", ExitCode.BAD_SPEC),
        ("DESIGN_MEMBERS_NOT_A_MULTIPLE", ExitCode.BAD_SPEC),
        ("RUN_MEMORY_TOO_SMALL", ExitCode.BAD_SPEC),
        ("STORE_ADDRESS_WRONG", ExitCode.BAD_SPEC),
        ("WORKER_INDEX_WRONG", ExitCode.BAD_SPEC),
        ("STORE_REFUSED", ExitCode.UNAVAILABLE),
        ("STORE_UNREACHABLE", ExitCode.UNAVAILABLE),
        ("RUN_NOT_COMPLETE", ExitCode.UNAVAILABLE),
        ("BACKEND_CUDA_UNAVAILABLE", ExitCode.UNAVAILABLE),
        ("NODE_MEMORY_SHORT", ExitCode.UNAVAILABLE),
        ("CHAIN_BROKEN", ExitCode.BROKEN_INVARIANT),
        ("STORE_CONFLICT", ExitCode.BROKEN_INVARIANT),
        ("RESULT_MISMATCH", ExitCode.BROKEN_INVARIANT),
    ],
)
def test_each_code_ends_by_the_table(code: str, expected: ExitCode) -> None:
    ending = failed(CivlabError(code, "disease.r0", "is wrong; lower it"))
    assert ending.exit_code is expected
    assert ending.termination.code == code
    assert ending.termination.message == "disease.r0: is wrong; lower it"


def test_an_unforeseen_fault_fails_the_job_with_its_kind() -> None:
    ending = failed(ZeroDivisionError("division by zero"))
    assert ending.exit_code is ExitCode.BROKEN_INVARIANT
    assert ending.termination.code == "INTERNAL_FAULT"
    assert "ZeroDivisionError" in ending.termination.message


def test_memory_that_runs_out_counts_and_names_the_remedy() -> None:
    ending = failed(MemoryError())
    assert ending.exit_code is ExitCode.UNAVAILABLE
    assert "spec.resources" in ending.termination.message


def test_stopping_is_ignored_by_the_job() -> None:
    assert stopped("later").exit_code is ExitCode.STOPPED_WITH_WORK_LEFT
    assert done("all").exit_code is ExitCode.DONE


@given(message=st.text(max_size=20_000), metrics=st.integers(0, 32))
def test_a_termination_message_fits_the_kubelets_limit_and_reads_back(message: str, metrics: int) -> None:
    figures = tuple(
        Metric(name=f"m{i}", mean="1" * 40, low="0" * 40, high="2" * 40, unit="persons") for i in range(metrics)
    )
    data = Termination(code="DONE", message=message, metrics=figures).to_bytes()
    assert len(data) <= TERMINATION_LIMIT
    assert Termination.parse(data.decode()) is not None


@given(secret=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=60))
def test_a_credential_in_a_message_never_reaches_the_file(
    tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    file = tmp_path_factory.mktemp("pod") / "termination"
    environment = {"AWS_SECRET_ACCESS_KEY": secret}
    ending = Ending(ExitCode.UNAVAILABLE, Termination(code="X", message=f"signed with [{secret}]"))
    write_termination(ending, file, environment)
    read = Termination.parse(file.read_text())
    assert read is not None
    assert read.message == "signed with […]" or secret in "signed with []"


def test_short_values_and_other_variables_are_left_alone() -> None:
    assert without_secrets("a yes b", {"SOME_TOKEN": "yes", "HOME": "a yes"}) == "a yes b"


@pytest.mark.parametrize("as_json", [False, True])
def test_neither_last_word_nor_log_lines_hold_the_query_of_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    address = "https://store.example/run/x?X-Amz-Signature=hush"
    start_lines(as_json=as_json, environment={})
    try:
        raise OSError(f"cannot reach {address}")
    except OSError as fault:
        logging.getLogger("civlab.worker").exception("sending to %s", address)
        write_termination(failed(fault), tmp_path / "word", {})
    word = Termination.from_json((tmp_path / "word").read_bytes())
    for text in (capsys.readouterr().out, word.message):
        assert "https://store.example/run/x?…" in text
        assert "hush" not in text


def test_without_a_kubelet_nothing_is_written_to_the_devices(tmp_path: Path) -> None:
    existed = TERMINATION_LOG.exists()
    write_termination(done("all"), TERMINATION_LOG, {})
    assert TERMINATION_LOG.exists() == existed


def test_a_termination_file_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    write_termination(done("all"), tmp_path / "no" / "such" / "folder", {})
