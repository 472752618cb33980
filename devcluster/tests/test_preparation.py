"""What a machine must have before a cluster starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from parpour_devcluster import preparation
from parpour_devcluster.cli import main
from parpour_devcluster.errors import DevclusterError

pytestmark = pytest.mark.unit


def test_without_root_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DevclusterError, match=r"DEVCLUSTER_NOT_ROOT.*sudo"):
        preparation.check_machine()
    done = CliRunner().invoke(main, ["up", "--name", "never"])
    assert done.exit_code == 1
    assert "DEVCLUSTER_NOT_ROOT" in done.output


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    absent = {"containerd": "/absent/containerd", "runc": "/absent/runc"}
    monkeypatch.setattr(preparation, "DEBIAN_PACKAGES", absent)
    with pytest.raises(DevclusterError) as caught:
        preparation.check_machine()
    assert caught.value.code == "DEVCLUSTER_PACKAGE_MISSING"
    assert caught.value.remedy.endswith("apt-get install --no-install-recommends containerd runc")


def test_the_packages_are_printed_one_a_line() -> None:
    done = CliRunner().invoke(main, ["packages"])
    assert done.exit_code == 0
    assert "containerd" in done.output.split("\n")


def test_a_bad_name_is_refused_before_anything_happens() -> None:
    done = CliRunner().invoke(main, ["kubeconfig", "--name", "../etc"])
    assert done.exit_code == 1
    assert "DEVCLUSTER_NAME_INVALID: --name" in done.output


def test_layers_are_forgotten_a_fortnight_after_they_were_pushed(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    (folder / "sha256").mkdir(parents=True)
    old, new = folder / "sha256" / "old", folder / "sha256" / "new"
    for path, age in ((old, preparation.LAYERS_KEPT + 1), (new, preparation.LAYERS_KEPT - 1)):
        path.write_bytes(b"x")
        os.utime(path, (1e9 - age, 1e9 - age))
    preparation.prune_layers(folder, now=1e9)
    assert not old.exists()
    assert new.exists()
