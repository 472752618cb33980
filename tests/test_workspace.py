"""The workspace's own lists agree: what members need is what the lock is made from, and what `make setup` installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from parpour_devcluster.pins import DEBIAN_PACKAGES

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parent.parent


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _lines(path: str) -> list[str]:
    lines = (ROOT / path).read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-r"))]


def _members() -> list[Path]:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    return [ROOT / member / "pyproject.toml" for member in workspace["members"]]


def _ours() -> set[str]:
    return {_name(tomllib.loads(member.read_text())["project"]["name"]) for member in _members()}


def test_the_lock_is_made_from_what_the_members_need() -> None:
    needed = {
        _name(requirement)
        for member in _members()
        for requirement in tomllib.loads(member.read_text())["project"]["dependencies"]
    }
    listed = {_name(line) for line in _lines("requirements-members.in")}
    assert needed - _ours() <= listed
    extras = {
        _name(requirement)
        for member in _members()
        for extra in tomllib.loads(member.read_text())["project"].get("optional-dependencies", {}).values()
        for requirement in extra
    }
    assert listed - needed <= extras


def test_every_requirement_is_locked() -> None:
    locked = {_name(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    wanted = {_name(line) for line in _lines("requirements.in") + _lines("requirements-members.in")}
    assert wanted <= locked


@pytest.mark.parametrize(
    "lock",
    [
        "requirements.txt",
        "requirements-bootstrap.txt",
        "images/operator/requirements.txt",
        "tests/bench/mesa_frames/requirements.txt",
        "libs/treasury/tests/beancount/requirements.txt",
    ],
)
def test_a_lock_has_hashes_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_setup_installs_what_the_dev_cluster_needs() -> None:
    assert set(DEBIAN_PACKAGES) <= set(_lines("tools/debian-packages.txt"))
