"""Builds the container images from hashed wheels without a network, and pushes them to a registry.

An image's tag is the digest of everything that goes into it, so an unchanged image is recognised before anything is
built, and the same sources have the same tag on every machine. What a newcomer would question: wheels are fetched and
built on the host and only installed inside the build, because a build that may reach the network is not the same twice.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from parpour_devcluster import base_image, binaries
from parpour_devcluster.errors import DevclusterError

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".artifacts" / "images"
INSTALLER_LOCK = Path("images/installer/requirements.txt")
PYTHON_TARGET = (
    "--python-version",
    "3.11",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
    "--abi",
    "abi3",
    "--abi",
    "none",
)
PLATFORMS = tuple(
    f"{platform}_x86_64" for platform in (*(f"manylinux_2_{minor}" for minor in range(36, 4, -1)), "manylinux2014")
)
SOURCE_ONLY = ("nkeys",)
"""Requirements without a wheel on PyPI; pure Python, made into wheels here."""
IGNORED = {"__pycache__", "build", "dist", ".pytest_cache", ".mypy_cache", ".hypothesis"}


class ImageError(Exception):
    """`code`: what went wrong, as a stable word; the message says what to do about it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Image:
    """One image: which Containerfile makes it, and what the build context must hold."""

    name: str
    """Name in the registry."""
    folder: str
    """Folder below images/ that holds the Containerfile."""
    value: str
    """Key below `images` in the chart's values."""
    lock: str | None = None
    """Lock file of an image on the Python base, relative to its folder; None for an image from scratch."""
    members: tuple[str, ...] = ()
    """Our own packages to install."""
    programs: tuple[str, ...] = ()
    """Static programs to copy."""
    by_default: bool = True
    """Whether `build` and `push` include it when no name is given."""

    @property
    def containerfile(self) -> Path:
        return ROOT / "images" / self.folder / "Containerfile"

    @property
    def lock_path(self) -> Path | None:
        return ROOT / "images" / self.folder / self.lock if self.lock else None


SERVICES = ("libs/contracts", "libs/controlplane", "libs/treasury", "api")

IMAGES = (
    Image("parpour-operator", "operator", "operator", lock="requirements.txt", members=("libs/contracts", "operator")),
    Image("civlab-worker", "sim-worker", "worker", lock="requirements.txt", members=("libs/contracts", "sim-worker")),
    Image(
        "civlab-worker-cuda12",
        "sim-worker",
        "cudaWorker",
        lock="requirements-cuda12.txt",
        members=("libs/contracts", "sim-worker"),
        by_default=False,
    ),
    Image("parpour-api", "api", "api", lock="requirements.txt", members=SERVICES, by_default=False),
    Image(
        "parpour-postgres",
        "postgres",
        "postgres",
        lock="requirements.txt",
        members=("libs/contracts", "libs/controlplane"),
        by_default=False,
    ),
    Image("parpour-nats", "nats", "nats", programs=("nats-server",)),
    Image("parpour-s3", "s3", "store", programs=("versitygw",)),
)


@dataclass(frozen=True)
class Inputs:
    """Everything that an image is made from; `tag` names it."""

    image: Image
    parts: Mapping[str, str]
    """Digest by part of the input."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Static programs by name."""

    @property
    def tag(self) -> str:
        text = json.dumps(dict(self.parts), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def reference(self) -> str:
        return f"localhost/{self.image.name}:{self.tag}"


def digest_of(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over names and contents, in the order of the names."""
    total = hashlib.sha256()
    for name, path in sorted(files):
        with path.open("rb") as handle:
            content = hashlib.file_digest(handle, "sha256").hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def member_sources(member: str) -> Iterator[tuple[str, Path]]:
    """What a member's wheel is built from: its build files and everything below src, without what a build leaves."""
    root = ROOT / member
    for path in sorted([*root.glob("*.toml"), *root.glob("hatch_build.py"), *root.glob("src/**/*")]):
        relative = path.relative_to(root)
        if path.is_file() and not IGNORED & set(relative.parts) and path.suffix not in {".pyc", ".so"}:
            yield str(relative), path


def program_path(name: str) -> Path:
    """The static program `name`: nats-server comes as a wheel, the others are built from their pins."""
    return Path(sysconfig.get_path("scripts")) / name if name == "nats-server" else binaries.ensure(name)


def collect_inputs(image: Image) -> Inputs:
    """Digest all that goes into `image`; nothing is built except missing static programs and the base image."""
    parts = {"containerfile": digest_of([("Containerfile", image.containerfile)])}
    programs = {name: program_path(name) for name in image.programs}
    if image.lock_path:
        parts["base"] = base_image.recipe_key()
        parts["dependencies"] = digest_of([("lock", image.lock_path), ("installer", ROOT / INSTALLER_LOCK)])
        parts["members"] = digest_of((f"{m}/{name}", path) for m in image.members for name, path in member_sources(m))
    if programs:
        parts["programs"] = digest_of(programs.items())
    return Inputs(image, parts, programs)


def check_call(
    words: str, *more: str, code: str, remedy: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> str:
    """Run a command, its fixed words in one string and the rest one by one; returns its standard output.

    Raises:
        ImageError: with the end of its output, if it fails or is not installed.
    """
    command = [*words.split(), *more]
    try:
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ImageError(code, f"{command[0]} is not installed; {remedy}") from error
    if done.returncode != 0:
        raise ImageError(code, f"{words} … failed; {remedy}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def split_lock(lock: str, names: Iterable[str]) -> tuple[str, str]:
    """A lock file's text without some requirements, and these requirements."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    apart = [block for block in blocks if block.split("==")[0] in set(names)]
    return "".join(block for block in blocks if block not in apart), "".join(apart)


def download_wheels(lock: Path) -> Path:
    """The wheels of a lock file in a folder of their own, each checked against its hashes; cached by the lock.

    Its requirements.txt pins what was fetched by the hashes of the wheels themselves, for the check inside the build.
    """
    folder = WORK / "dependencies" / digest_of([("lock", lock), ("installer", ROOT / INSTALLER_LOCK)])[:16]
    if (folder / "requirements.txt").exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with_wheels, without = split_lock(lock.read_text(), SOURCE_ONLY)
    fetch_wheels(with_wheels, partial)
    if without:
        make_wheels(without, partial)
    wheels = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(partial.glob("*.whl"))}
    pins = [f"{'=='.join(path.name.split('-')[:2])} --hash=sha256:{digest}\n" for path, digest in wheels.items()]
    (partial / "requirements.txt").write_text("".join(pins))
    fetch_wheels(split_lock((ROOT / INSTALLER_LOCK).read_text(), ["setuptools"])[0], partial)
    partial.rename(folder)
    return folder


def fetch_wheels(requirements: str, folder: Path) -> None:
    """Download the wheels of these hashed requirements for the images' Python, whatever Python runs here."""
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        check_call(
            f"{sys.executable} -m pip download --quiet --require-hashes --no-deps --only-binary :all:",
            *PYTHON_TARGET,
            *platforms,
            *("--dest", str(folder), "--requirement", file.name),
            code="IMAGE_WHEELS_UNAVAILABLE",
            remedy="check that the package index is reachable, or run `make lock` if a release was withdrawn",
        )


def make_wheels(requirements: str, folder: Path) -> None:
    """Turn hashed source releases into wheels, with the build tools of the installer's lock."""
    with tempfile.TemporaryDirectory() as tools:
        lock = Path(tools) / "sources.txt"
        lock.write_text(requirements)
        check_call(
            f"{sys.executable} -m pip install --quiet --require-hashes --no-deps",
            *("--target", tools, "--requirement", str(ROOT / INSTALLER_LOCK)),
            code="IMAGE_WHEELS_UNAVAILABLE",
            remedy="check that the package index is reachable",
        )
        check_call(
            f"{sys.executable} -m pip wheel --quiet --require-hashes --no-deps --no-build-isolation",
            *("--wheel-dir", str(folder), "--requirement", str(lock)),
            code="IMAGE_WHEELS_UNAVAILABLE",
            remedy="check that the package index is reachable",
            env={"PYTHONPATH": tools, "SOURCE_DATE_EPOCH": "315532800"},
        )


def member_wheel(member: str) -> Path:
    """The wheel of one of our packages; cached by its sources."""
    folder = WORK / "members" / f"{member.replace('/', '-')}-{digest_of(member_sources(member))[:16]}"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        with tempfile.TemporaryDirectory() as copy:  # a build may write beside its sources, which are in use
            for name, path in member_sources(member):
                (Path(copy) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, Path(copy) / name)
            check_call(
                f"{sys.executable} -m hatchling build --target wheel --directory",
                str(partial),
                code="IMAGE_WHEEL_BUILD",
                remedy="mend the member's build",
                env={"SOURCE_DATE_EPOCH": "315532800"},
                cwd=Path(copy),
            )
        partial.rename(folder)
    return next(folder.glob("*.whl"))


def write_context(inputs: Inputs) -> Path:
    """Lay out the build context of an image and return its folder."""
    context = WORK / "context" / inputs.image.name
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    if inputs.image.lock_path:
        shutil.copytree(download_wheels(inputs.image.lock_path), context / "dependencies", copy_function=os.link)
        (context / "members").mkdir()
        for member in inputs.image.members:
            os.link(wheel := member_wheel(member), context / "members" / wheel.name)
    for name, path in inputs.files.items():
        (context / "bin").mkdir(exist_ok=True)
        shutil.copy(path, context / "bin" / name)
    return context


BUILDING = "run `make setup`; building needs root"


def built_references() -> frozenset[str]:
    """The images that buildah holds."""
    listing = json.loads(check_call("buildah images --json", code="IMAGE_BUILD", remedy=BUILDING) or "[]")
    return frozenset(name for entry in listing or [] for name in entry.get("names") or [])


def build(inputs: Inputs, *, base_reference: str) -> None:
    """Build one image with buildah, in a network namespace that holds nothing but the loopback device."""
    arguments = [f"--build-arg=BASE_IMAGE={base_reference}"] if inputs.image.lock else []
    arguments += [
        f"--build-arg={part.upper()}_DIGEST={inputs.parts[part]}"
        for part in ("dependencies", "members")
        if part in inputs.parts
    ]
    check_call(
        "unshare --net sh -c",
        *('ip link set lo up; exec "$@"', "sh"),
        *("buildah", "bud", "--quiet", "--isolation=chroot", "--layers", "--pull-never", "--format=oci"),
        *("--file", str(inputs.image.containerfile), "--tag", inputs.reference),
        *arguments,
        str(write_context(inputs)),
        code="IMAGE_BUILD",
        remedy=BUILDING,
    )


def in_registry(inputs: Inputs, registry: str) -> bool:
    """Whether the registry already serves this tag."""
    connection = http.client.HTTPConnection(registry, timeout=10)
    try:
        connection.request(
            "HEAD",
            f"/v2/{inputs.image.name}/manifests/{inputs.tag}",
            headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
        )
        return connection.getresponse().status == HTTPStatus.OK
    except OSError as error:
        raise ImageError("IMAGE_REGISTRY", f"no registry at {registry} ({error}); is the cluster up?") from error
    finally:
        connection.close()


def push(inputs: Inputs, registry: str) -> None:
    """Push one built image to a registry that speaks plain HTTP on this machine."""
    check_call(
        "buildah push --quiet --tls-verify=false",
        *(inputs.reference, f"docker://{registry}/{inputs.image.name}:{inputs.tag}"),
        code="IMAGE_REGISTRY",
        remedy=f"check that the registry at {registry} is up (`parpour-devcluster status`)",
    )


def select(names: list[str]) -> tuple[Image, ...]:
    """The images of these names, or the default ones if there is no name.

    Raises:
        ImageError: if there is no image of that name.
    """
    known = {image.name: image for image in IMAGES}
    if unknown := [name for name in names if name not in known]:
        raise ImageError("IMAGE_UNKNOWN", f"no image is called {unknown[0]}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or tuple(image for image in IMAGES if image.by_default)


def build_missing(inputs: Iterable[Inputs]) -> None:
    """Build those that buildah does not hold yet."""
    held = built_references()
    for one in inputs:
        if one.reference not in held:
            say(f"building {one.image.name}:{one.tag}")
            build(one, base_reference=base_image.ensure_base_image(say)[1] if one.image.lock else "")


def chart_values(inputs: Iterable[Inputs], registry: str) -> dict[str, object]:
    """The chart's `images` values that name these images."""
    named = {one.image.value: {"repository": one.image.name, "tag": one.tag} for one in inputs}
    return {"images": {"registry": registry, **named}}


def context_line(inputs: Inputs) -> str:
    """What another builder needs: name, tag, Containerfile's folder, digests of dependencies and members, context."""
    digests = [inputs.parts.get(part, "none") for part in ("dependencies", "members")]
    return " ".join([inputs.image.name, inputs.tag, inputs.image.folder, *digests, str(write_context(inputs))])


def lock() -> None:
    """Resolve every images/*/requirements*.in into its hashed lock."""
    for source in sorted((ROOT / "images").glob("*/requirements*.in")):
        check_call(
            f"{sys.executable} -m uv pip compile --quiet --universal --python-version 3.11",
            *("--generate-hashes", "--no-header", "--constraint", "requirements.txt"),
            str(source.relative_to(ROOT)),
            *("--output-file", str(source.with_suffix(".txt").relative_to(ROOT))),
            code="IMAGE_LOCK",
            remedy="mend the requirement that cannot be met",
        )


def say(line: str) -> None:
    """Progress goes to standard error, so that standard output holds the result alone."""
    print(line, file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/images.py", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    only = argparse.ArgumentParser(add_help=False)
    only.add_argument("--only", action="append", default=[], metavar="NAME", help="this image; may be repeated")
    verbs.add_parser("build", parents=[only], help="build what is missing; prints the references")
    pushing = verbs.add_parser("push", parents=[only], help="build and push; prints the chart's values as JSON")
    pushing.add_argument("--registry", required=True, metavar="HOST:PORT", help="plain HTTP registry on this machine")
    verbs.add_parser("context", parents=[only], help="lay out the contexts for another builder; prints a line for each")
    verbs.add_parser("values", parents=[only], help="print the chart's values for images without a registry")
    verbs.add_parser("lock", help="resolve the images' requirements anew")
    return parser.parse_args()


def act(verb: str, inputs: list[Inputs], arguments: argparse.Namespace) -> None:
    """Carry out a verb that is about images."""
    if verb == "context":
        print(*(context_line(one) for one in inputs), sep="\n")
    elif verb == "values":
        print(json.dumps(chart_values(inputs, ""), indent=2))
    elif verb == "build":
        build_missing(inputs)
        print(*(one.reference for one in inputs), sep="\n")
    else:
        absent = [one for one in inputs if not in_registry(one, arguments.registry)]
        if absent:
            build_missing(absent)
        for one in absent:
            say(f"pushing {one.image.name}:{one.tag}")
            push(one, arguments.registry)
        print(json.dumps(chart_values(inputs, arguments.registry), indent=2))


def main() -> int:
    """Carry out one verb; returns the exit status."""
    arguments = parse_arguments()
    try:
        if arguments.verb == "lock":
            lock()
            return 0
        with binaries.locked(WORK / "lock"):  # contexts and caches are shared by everything that builds here
            act(arguments.verb, [collect_inputs(image) for image in select(arguments.only)], arguments)
    except (ImageError, DevclusterError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
