"""The same store code against a real S3 server."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import civlab
from civlab.errors import CivlabError
from civlab.store import Store, open_store
from parpour_controlplane.testing import free_port
from parpour_devcluster.binaries import ensure

pytestmark = pytest.mark.kernel
KEY, WORD = "gateway-user", "gateway-word-7f3a"
START_SECONDS = 30.0


@dataclass(frozen=True)
class Gateway:
    """A running S3 server with one bucket."""

    port: int
    process: subprocess.Popen[bytes]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """versitygw over a folder, and the environment that reaches it."""
    (tmp_path / "data" / "results").mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen(
        [str(ensure("versitygw")), "--port", f"127.0.0.1:{port}", "posix", str(tmp_path / "data")],
        env={**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": WORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", WORD)
    yield Gateway(port, process)
    process.kill()
    process.wait()


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return open_store("s3://results/team/run", create=True)


def test_a_manifest_is_written_once_on_a_real_server(store: Store) -> None:
    store.put_once("manifest.json", b"one")
    store.put_once("manifest.json", b"one")
    with pytest.raises(CivlabError) as caught:
        store.put_once("manifest.json", b"two")
    assert caught.value.code == "STORE_CONFLICT"
    assert store.get("manifest.json") == b"one"


def test_objects_are_listed_measured_and_deleted(store: Store) -> None:
    name = store.put_addressed("objects", b"data")
    assert store.list("") == [f"objects/{name}"]
    assert store.digest(f"objects/{name}") == (name, 4)
    assert store.find("objects/none") is None
    store.delete([f"objects/{name}", "objects/none"])
    assert store.list("objects") == []


def test_a_large_object_streams_through_in_parts(store: Store) -> None:
    piece = os.urandom(1 << 20)
    with store.sink("large.bin") as sink:
        for _ in range(23):
            sink.write(piece)
    assert store.digest("large.bin") == (sink.hexdigest(), 23 << 20)


def test_a_run_on_s3_leaves_the_bytes_that_a_run_in_a_folder_leaves(
    store: Store, tmp_path: Path, small_town: str
) -> None:
    remote = civlab.run(small_town, store.url, members=4, seed=2, shards=2, checkpoint_every=10, threads=1)
    local = civlab.run(small_town, tmp_path / "out", members=4, seed=2, shards=2, checkpoint_every=0, threads=1)
    assert remote.manifest == local.manifest
    folder = open_store(tmp_path / "out")
    assert {path: store.get(path) for path in store.list("")} == {path: folder.get(path) for path in folder.list("")}
    assert civlab.open(store.url).polars("members").height == 4
    assert civlab.verify(store.url, threads=1).holds


def test_wrong_credentials_are_a_refusal_that_repeats_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-word")
    with pytest.raises(CivlabError) as caught:
        open_store(store.url).put("x", b"")
    assert caught.value.code == "STORE_REFUSED"
    assert caught.value.path == f"{store.url}/x"
    assert not any(word in str(caught.value) for word in (KEY, WORD, "another-word"))


def test_a_bucket_that_is_not_there_is_a_refusal(gateway: Gateway) -> None:
    with pytest.raises(CivlabError) as caught:
        open_store("s3://nowhere/run").put("x", b"")
    assert caught.value.code == "STORE_REFUSED"
    assert "NoSuchBucket" in caught.value.message


@pytest.mark.long
def test_a_server_that_is_gone_is_unreachable(gateway: Gateway, store: Store) -> None:
    gateway.process.kill()
    gateway.process.wait()
    hasty = Store(store._backend, store.url, sleep=lambda _: None)
    with pytest.raises(CivlabError) as caught:
        hasty.get("x")
    assert caught.value.code == "STORE_UNREACHABLE"
