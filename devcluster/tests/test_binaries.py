"""Pins and the cache of built programs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from parpour_devcluster import binaries, pins
from parpour_devcluster.binaries import cache_key, group_named, group_of, parse_go_version
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.pins import GROUPS, GoGroup

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_group_pins_what_it_builds(group: GoGroup) -> None:
    module = (group.folder / "go.mod").read_text(encoding="utf-8")
    assert (group.folder / "go.sum").exists()
    for package in group.programs.values():
        if package.startswith("."):
            assert (group.folder / package / "main.go").exists()
        else:
            assert package in module


def test_every_staging_module_of_kubernetes_has_the_version_of_the_release() -> None:
    module = (group_named("kubernetes").folder / "go.mod").read_text(encoding="utf-8")
    replaced = [line.split() for line in module.splitlines() if "=>" in line]
    wanted = pins.KUBERNETES_VERSION.replace("v1.", "v0.", 1)
    assert len(replaced) > 25
    assert {fields[-1] for fields in replaced} == {wanted}
    assert all(fields[0] == fields[2] for fields in replaced)


def test_a_cache_key_changes_with_each_thing_that_shapes_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "GOMODS", tmp_path)
    group = GoGroup("node", {"pause": "./pause"})
    shutil.copytree(Path(binaries.__file__).parent / "gomods" / "node", tmp_path / "node")
    first = cache_key(group, go="go1.26.6")
    assert cache_key(group, go="go1.26.6") == first
    assert cache_key(group, go="go1.26.7") != first
    assert cache_key(replace(group, variables={"main.v": "1"}), go="go1.26.6") != first
    source = tmp_path / "node" / "pause" / "main.go"
    source.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert cache_key(group, go="go1.26.6") != first


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.6", (1, 26, 6)), ("go1.26", (1, 26, 0)), ("go1.27rc1", None), ("devel +abc", None), ("", None)],
)
def test_go_versions_are_read(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_go_version(text) == version


def test_an_unknown_program_or_group_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DevclusterError, match=r"DEVCLUSTER_PROGRAM_UNKNOWN.*versitygw"):
        group_of("docker")
    with pytest.raises(DevclusterError, match=r"DEVCLUSTER_GROUP_UNKNOWN.*kubernetes"):
        group_named("docker")


def test_the_cache_follows_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.delenv("PARPOUR_CACHE", raising=False)
    assert binaries.cache_folder() == Path("/x/parpour")
    monkeypatch.setenv("PARPOUR_CACHE", "/y")
    assert binaries.cache_folder() == Path("/y")
