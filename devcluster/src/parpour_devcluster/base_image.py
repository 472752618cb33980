"""The Debian base of our images, made by debootstrap where no image registry can be reached.

The base of an image is a build argument, so that the same Containerfile builds on a registry's Python image; this one
holds what that would: Python 3, its standard library and certificates.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from parpour_devcluster.binaries import Report, cache_folder, locked
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.preparation import check_machine

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates", "libgomp1")
REMOVED = (
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
    "var/cache/debconf/*-old",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/lib/python3.11/ensurepip",
    "usr/share/python-wheels",
)
NAME = "localhost/parpour-base"


def recipe_key() -> str:
    """The tag of the base image: it changes with what the image is made from."""
    recipe = repr((SUITE, PACKAGES, REMOVED, platform.machine(), 1))
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def ensure_base_image(report: Report) -> tuple[Path, str]:
    """Makes the base image when the cache lacks it and puts it into buildah's store.

    Returns:
        The OCI archive's path, and the name under which buildah knows the image (`--build-arg BASE_IMAGE=…`).

    Raises:
        DevclusterError: DEVCLUSTER_PACKAGE_MISSING, DEVCLUSTER_BASE_IMAGE_FAILED.
    """
    check_machine()
    key = recipe_key()
    archive = cache_folder() / "images" / f"base-{key}.oci.tar"
    reference = f"{NAME}:{key}"
    with locked(cache_folder() / "locks" / archive.name):
        if not archive.exists():
            report("making the Debian base image with Python (once; about a minute)")
            _make(archive, reference)
        elif subprocess.run(["buildah", "inspect", "--type", "image", reference], capture_output=True).returncode != 0:
            _run("buildah", "tag", _run("buildah", "pull", "--quiet", f"oci-archive:{archive}").split()[-1], reference)
    return archive, reference


def _make(archive: Path, reference: str) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".base-") as scratch:
        root, output = Path(scratch) / "root", Path(scratch) / "image.tar"
        included = ",".join(PACKAGES)
        _run("debootstrap", "--variant=minbase", f"--include={included}", SUITE, str(root))
        for pattern in REMOVED:
            for path in root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        for cached in (root / "usr").rglob("__pycache__"):
            shutil.rmtree(cached)
        (root / "etc" / "resolv.conf").write_text("", encoding="ascii")
        (root / "etc" / "hostname").unlink(missing_ok=True)
        container = _run("buildah", "from", "scratch").strip()
        try:
            _run("buildah", "copy", "--quiet", container, str(root), "/")
            _run("buildah", "config", "--cmd", "python3", "--env", "LANG=C.UTF-8", container)
            _run("buildah", "commit", "--quiet", "--timestamp", "0", container, reference)
        finally:
            _run("buildah", "rm", container)
        _run("buildah", "push", "--quiet", reference, f"oci-archive:{output}:{reference}")
        output.rename(archive)


def _run(*command: str) -> str:
    done = subprocess.run(["nice", "-n", "5", *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise DevclusterError(
            "DEVCLUSTER_BASE_IMAGE_FAILED",
            f"'{command[0]}' failed: {(done.stderr or done.stdout).strip()[-500:]}",
            remedy="See that Debian's mirror is reachable and the disk has 2 GB free, then run it again",
        )
    return done.stdout
