"""Images: the three small ones a cluster needs to start, written here as OCI archives, and loading of a user's own.

The small ones hold one static program each, so they need no image builder; the archive is a function of the program.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parpour_devcluster.errors import DevclusterError

_KIND = "application/vnd.oci.image"
_NAME = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A tar archive with fixed times and owners; values are (content, mode)."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return output.getvalue()


@dataclass(frozen=True)
class ScratchImage:
    """An image that holds one static program.

    Args:
        reference: its name, as `ctr images import` will store it.
        program: the executable's content.
        path: where it lies in the image, absolute; also the entry point.
        user: `uid:gid` that it runs as.
    """

    reference: str
    program: bytes
    path: str
    user: str


def scratch_archive(wanted: Sequence[ScratchImage]) -> bytes:
    """One OCI archive of several scratch images; containerd cannot import two archives at the same time."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    manifests = []
    for image in wanted:
        layer = _tar({image.path.lstrip("/"): (image.program, 0o755)})
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        config = _encoded(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {"Entrypoint": [image.path], "User": image.user},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            }
        )
        manifest = _encoded(
            {
                "schemaVersion": 2,
                "mediaType": f"{_KIND}.manifest.v1+json",
                "config": _descriptor(f"{_KIND}.config.v1+json", config),
                "layers": [_descriptor(f"{_KIND}.layer.v1.tar", layer)],
            }
        )
        names = {"io.containerd.image.name": image.reference, "org.opencontainers.image.ref.name": image.reference}
        manifests.append(_descriptor(f"{_KIND}.manifest.v1+json", manifest) | {"annotations": names})
        for blob in (layer, config, manifest):
            files[f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"] = blob
    files["index.json"] = _encoded({"schemaVersion": 2, "manifests": manifests})
    return _tar({name: (content, 0o644) for name, content in files.items()})


def _encoded(document: dict[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def source_of(argument: str) -> str:
    """The buildah name of what a user wants to load: an archive, an OCI layout folder, or an image in buildah's store.

    Raises:
        DevclusterError: DEVCLUSTER_IMAGE_UNREADABLE for a file that is no image archive.
    """
    path = Path(argument)
    if path.is_dir() and (path / "oci-layout").exists():
        return f"oci:{path.absolute()}"
    if not path.is_file():
        return argument
    try:
        with tarfile.open(path) as archive:
            names = {name.removeprefix("./") for name in archive.getnames()}
    except tarfile.TarError as error:
        names, reason = set(), str(error)
    else:
        reason = "it has neither 'index.json' nor 'manifest.json'"
    if "oci-layout" in names:
        return f"oci-archive:{path.absolute()}"
    if "manifest.json" in names:
        return f"docker-archive:{path.absolute()}"
    raise DevclusterError(
        "DEVCLUSTER_IMAGE_UNREADABLE",
        f"{path} is no image archive: {reason}",
        remedy="Make one with: buildah push IMAGE oci-archive:FILE",
    )


def default_name(argument: str) -> str:
    """The NAME:TAG under which an image is loaded when none is given: its own name without its registry.

    Raises:
        DevclusterError: DEVCLUSTER_IMAGE_NAME_INVALID.
    """
    path = Path(argument)
    if path.exists():
        stem = path.name.removesuffix(".tar").removesuffix(".oci")
        return checked_name(f"{stem.lower()}:latest")
    first, slash, rest = argument.partition("/")
    has_registry = slash and ("." in first or ":" in first or first == "localhost")
    name = rest if has_registry else argument
    return checked_name(name if ":" in name.rpartition("/")[2] else f"{name}:latest")


def checked_name(name: str) -> str:
    """A NAME:TAG as given, if it is one.

    Raises:
        DevclusterError: DEVCLUSTER_IMAGE_NAME_INVALID.
    """
    if not _NAME.fullmatch(name):
        raise DevclusterError(
            "DEVCLUSTER_IMAGE_NAME_INVALID",
            f"--as: '{name}' is no NAME:TAG of an image",
            remedy="Use lower-case letters, digits and '.', '_', '-', '/', and a tag after ':'",
        )
    return name


def load(argument: str, *, name: str, registry: str) -> str:
    """Pushes an image into a cluster's registry.

    Args:
        argument: archive, OCI layout folder or buildah reference.
        name: NAME:TAG in the registry.
        registry: `127.0.0.1:PORT` of the cluster.

    Returns:
        What to write as `image:` in a pod.

    Raises:
        DevclusterError: DEVCLUSTER_IMAGE_UNREADABLE, DEVCLUSTER_IMAGE_NOT_LOADED.
    """
    source = source_of(argument)
    if source != argument:
        source = _buildah(["pull", "--quiet", source]).split()[-1]
    target = f"{registry}/{name}"
    _buildah(["push", "--quiet", "--disable-compression", "--tls-verify=false", source, f"docker://{target}"])
    return target


def _buildah(arguments: Sequence[str]) -> str:
    done = subprocess.run(["buildah", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise DevclusterError(
            "DEVCLUSTER_IMAGE_NOT_LOADED",
            f"buildah {arguments[0]} failed: {done.stderr.strip()[-400:]}",
            remedy="List what can be loaded with: buildah images",
        )
    return done.stdout
