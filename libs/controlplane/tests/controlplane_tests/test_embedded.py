"""The embedded server: whom it runs as, where it listens, and that it keeps what was committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from parpour_controlplane.embedded import EmbeddedCluster, Programs, choose, embedded, installed
from parpour_controlplane.errors import EmbeddedError

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedCluster]:
    with embedded() as cluster:
        yield cluster


def test_the_wheel_brings_two_major_versions() -> None:
    assert {16, 18} <= set(installed())


def test_a_version_that_is_not_here_is_named() -> None:
    with pytest.raises(EmbeddedError, match="EMBEDDED_POSTGRES_MISSING: no PostgreSQL 9 here; found") as caught:
        choose(9)
    assert caught.value.code == "EMBEDDED_POSTGRES_MISSING"


def test_it_never_runs_as_root_and_its_folder_is_its_own(cluster: EmbeddedCluster) -> None:
    pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert cluster.folder.stat().st_mode & 0o077 == 0


async def test_it_listens_on_its_socket_alone(cluster: EmbeddedCluster) -> None:
    connection = await asyncpg.connect(cluster.dsn())
    assert await connection.fetchval("show listen_addresses") == ""
    assert await connection.fetchval("select count(*) from pg_stat_activity where client_addr is not null") == 0
    await connection.close()


async def test_what_was_committed_is_there_after_a_crash(cluster: EmbeddedCluster) -> None:
    connection = await asyncpg.connect(cluster.dsn())
    await connection.execute("create table kept as select 1 as one")
    cluster.crash()
    cluster.start()
    connection = await asyncpg.connect(cluster.dsn())
    assert await connection.fetchval("select one from kept") == 1
    await connection.close()


def test_a_server_that_ends_says_why(cluster: EmbeddedCluster) -> None:
    cluster.stop()
    with pytest.raises(EmbeddedError, match="no_such_setting") as caught:
        replace(cluster, settings={"no_such_setting": "1"}).start()
    assert caught.value.code == "EMBEDDED_POSTGRES_FAILED"
    cluster.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run the server")
def test_programs_that_the_servers_user_cannot_reach_are_copied(tmp_path: Path) -> None:
    programs = tmp_path / "closed" / "pg" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!/bin/sh\n")
    (programs / "postgres").chmod(0o755)
    (tmp_path / "closed").chmod(0o700)
    cluster = EmbeddedCluster(Programs(18, programs.parent), tmp_path / "cluster")
    cluster.folder.mkdir()
    copied = Path(cluster._program("postgres"))
    assert copied.is_relative_to(cluster.folder)
    assert copied.exists()
