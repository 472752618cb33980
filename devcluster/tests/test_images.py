"""Image archives and the names under which images are loaded."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.images import ScratchImage, checked_name, default_name, scratch_archive, source_of

pytestmark = pytest.mark.unit


def archive() -> bytes:
    return scratch_archive([ScratchImage("parpour.dev/x:1", b"\x7fELF", "/x", "65532:65532")])


def test_a_scratch_archive_is_a_function_of_its_programs() -> None:
    assert archive() == archive()


def test_every_descriptor_of_a_scratch_image_names_a_blob_by_digest_and_size() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive())) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}  # type: ignore[union-attr]

    def blob(descriptor: dict[str, object]) -> bytes:
        content = files["blobs/" + str(descriptor["digest"]).replace(":", "/")]
        assert "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
        assert len(content) == descriptor["size"]
        return content

    manifest = json.loads(blob(json.loads(files["index.json"])["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    layer = blob(manifest["layers"][0])
    assert config["config"] == {"Entrypoint": ["/x"], "User": "65532:65532"}
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert tar.getmember("x").mode == 0o755


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("localhost/parpour-worker:dev", "parpour-worker:dev"),
        ("docker.io/library/x", "library/x:latest"),
        ("127.0.0.1:5100/a/b:1", "a/b:1"),
        ("team/x:1", "team/x:1"),
    ],
)
def test_an_image_keeps_its_own_name_without_its_registry(image: str, name: str) -> None:
    assert default_name(image) == name


def test_an_archive_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "Worker.oci.tar"
    path.write_bytes(archive())
    assert default_name(str(path)) == "worker:latest"
    assert source_of(str(path)) == f"oci-archive:{path}"


def test_a_file_that_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no archive", encoding="utf-8")
    with pytest.raises(DevclusterError, match=r"DEVCLUSTER_IMAGE_UNREADABLE: .*notes.txt"):
        source_of(str(path))


@pytest.mark.parametrize("name", ["Upper:1", "a b", "", "a:", "-a:1"])
def test_a_name_that_the_registry_would_refuse_is_refused_first(name: str) -> None:
    with pytest.raises(DevclusterError, match="DEVCLUSTER_IMAGE_NAME_INVALID"):
        checked_name(name)
