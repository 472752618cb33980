"""The store: written once, found by hash, refused clearly; the same for a folder and for memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from blake3 import blake3
from obstore.exceptions import GenericError, PermissionDeniedError

from civlab.errors import CivlabError
from civlab.store import Store, open_store
from civlab.store.failures import cause

pytestmark = pytest.mark.unit


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(tmp_path / "run" if request.param == "folder" else "memory://", create=True)


def code_of(fault: pytest.ExceptionInfo[CivlabError]) -> str:
    return fault.value.code


def test_the_same_bytes_may_be_written_once_more(store: Store) -> None:
    store.put_once("a/manifest.json", b"one")
    store.put_once("a/manifest.json", b"one")
    assert store.get("a/manifest.json") == b"one"


def test_a_second_writer_with_other_bytes_is_a_conflict(store: Store) -> None:
    store.put_once("manifest.json", b"one")
    with pytest.raises(CivlabError) as caught:
        store.put_once("manifest.json", b"two")
    assert code_of(caught) == "STORE_CONFLICT"
    assert store.get("manifest.json") == b"one"


def test_an_addressed_object_is_found_by_its_hash(store: Store) -> None:
    name = store.put_addressed("objects", b"data")
    assert name == blake3(b"data").hexdigest()
    memory = bytearray(4)
    store.fill_addressed("objects", name, memoryview(memory))
    assert memory == b"data"
    assert store.list("objects") == [f"objects/{name}"]


@pytest.mark.parametrize("found", [b"dat4", b"dat", b"data more"], ids=["changed", "cut", "longer"])
def test_a_damaged_object_is_found_out(store: Store, found: bytes) -> None:
    name = store.put_addressed("objects", b"data")
    store.put(f"objects/{name}", found)
    with pytest.raises(CivlabError) as caught:
        store.fill_addressed("objects", name, memoryview(bytearray(4)))
    assert code_of(caught) == "STORE_OBJECT_DAMAGED"


def test_an_object_stays_what_it_was_when_the_memory_that_it_came_from_changes(store: Store) -> None:
    memory = bytearray(b"data")
    name = store.put_addressed("objects", memoryview(memory))
    memory[:] = b"more"
    assert store.get(f"objects/{name}") == b"data"


def test_a_missing_addressed_object_is_named(store: Store) -> None:
    with pytest.raises(CivlabError) as caught:
        store.fill_addressed("objects", "0" * 64, memoryview(bytearray(4)))
    assert code_of(caught) == "STORE_OBJECT_MISSING"


def test_a_missing_object_is_named(store: Store) -> None:
    assert store.find("nothing") is None
    assert store.size("nothing") is None
    store.delete(["nothing"])
    for read in (store.get, store.digest):
        with pytest.raises(CivlabError) as caught:
            read("nothing")
        assert code_of(caught) == "STORE_OBJECT_MISSING"
        assert caught.value.path.endswith("nothing")


def test_a_sink_knows_the_hash_of_what_it_wrote(store: Store) -> None:
    with store.sink("table.bin") as sink:
        for number in range(100):
            sink.write(bytes([number]) * 1000)
    assert store.digest("table.bin") == (sink.hexdigest(), 100_000)
    assert sink.size == 100_000
    assert store.reader("table.bin").read(2) == b"\0\0"


def test_a_discarded_sink_leaves_what_stood_there(store: Store) -> None:
    store.put("table.bin", b"before")
    sink = store.sink("table.bin")
    sink.write(b"after")
    sink.discard()
    del sink
    assert store.get("table.bin") == b"before"


@pytest.mark.parametrize(
    "address", ["s3://key:word@bucket/x", "ftp://host/x", "s3:///x", "s3://bucket/x?token=1", "http://[::1/x"]
)
def test_an_address_that_no_store_has_is_refused_without_repeating_a_credential(address: str) -> None:
    with pytest.raises(CivlabError) as caught:
        open_store(address)
    assert code_of(caught) == "STORE_ADDRESS_WRONG"
    assert "word" not in str(caught.value)


def test_a_folder_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(CivlabError) as caught:
        open_store(tmp_path / "absent")
    assert code_of(caught) == "STORE_NOT_FOUND"
    assert not (tmp_path / "absent").exists()


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CivlabError) as caught:
        open_store(tmp_path / "file", create=True).put("x", b"")
    assert code_of(caught) == "STORE_REFUSED"


def test_a_transient_fault_is_retried_with_growing_pauses(store: Store) -> None:
    pauses: list[float] = []
    patient = Store(store._backend, "here", sleep=pauses.append)
    answers = [GenericError("timed out"), GenericError("timed out"), "done"]

    def act() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert patient._attempt("x", act) == "done"
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_a_store_that_stays_away_is_unreachable_and_one_that_says_no_is_a_refusal(store: Store) -> None:
    hasty = Store(store._backend, "s3://bucket/run", sleep=lambda _: None)

    def fail(fault: Exception) -> str:
        def act() -> None:
            raise fault

        with pytest.raises(CivlabError) as caught:
            hasty._attempt("x", act)
        assert caught.value.path == "s3://bucket/run/x"
        return caught.value.code

    assert fail(GenericError("error sending request")) == "STORE_UNREACHABLE"
    assert fail(PermissionDeniedError("no")) == "STORE_REFUSED"
    assert fail(GenericError("Client error with status 403 Forbidden")) == "STORE_REFUSED"


def test_a_cause_keeps_the_servers_code_and_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    answer = (
        "Client error with status 403 Forbidden: <Error><Code>InvalidAccessKeyId</Code>"
        "<Message>The key does not exist</Message><AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId></Error>"
    )
    assert cause(GenericError(answer)) == "403 Forbidden: InvalidAccessKeyId: The key does not exist"
    assert "hush" not in cause(GenericError("odd hush-hush at s3://user:word@host"))
    assert "word" not in cause(GenericError("odd hush-hush at s3://user:word@host"))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("sending (https://a.blob.net/c/x?sv=1&sig=hush%3D): timeout", "sending (https://a.blob.net/c/x?…): timeout"),
        ("at https://h/x?name=a(1).csv&X-Amz-Signature=hush, again", "at https://h/x?…, again"),
        ('uri: "/c/x?sig=hush", host', 'uri: "/c/x?…", host'),
        ("status 403 Forbidden: <Message>no https://h/x?sig=hush</Message>", "403 Forbidden: no https://h/x?…"),
        ("is the bucket there? try s3://bucket/a", "is the bucket there? try s3://bucket/a"),
    ],
)
def test_a_cause_leaves_no_query_of_an_address(said: str, left: str) -> None:
    assert cause(GenericError(said)) == left


def test_a_cause_blanks_a_secret_that_its_end_would_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    assert "hush" not in cause(GenericError("x" * 235 + "hush-hush"))


@pytest.mark.parametrize("address", ["s3://bucket/run?sig=hush", "s3://[bucket?sig=hush", "s3://bucket/run?hush"])
def test_a_refused_address_is_quoted_without_its_query(address: str) -> None:
    with pytest.raises(CivlabError) as caught:
        open_store(address)
    assert caught.value.code == "STORE_ADDRESS_WRONG"
    assert "hush" not in str(caught.value)
