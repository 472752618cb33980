"""Installs the chart with freshly built images into a running dev cluster; the demo and the end-to-end tests call it.

Everything is skipped that is there already: images by their tags, the release by comparing what Helm would apply. It
prints the release's coordinates as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import images

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "parpour"
TREASURY_IMAGES = ("api", "postgres")
"""Keys of what the treasury needs beside the default images."""
DEVCLUSTER = str(Path(sys.executable).with_name("parpour-devcluster"))


def output_of(*command: str) -> str:
    """A command's standard output; its other output is shown as it comes.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def push_images(registry: str, *, treasury: bool) -> Path:
    """Build and push what is missing; returns a values file that names the images."""
    names = [one.name for one in images.IMAGES if one.by_default or (treasury and one.value in TREASURY_IMAGES)]
    only = [argument for name in names for argument in ("--only", name)]
    values = output_of(sys.executable, "tools/images.py", "push", "--registry", registry, *only)
    suffix = "-treasury" if treasury else ""
    path = ROOT / ".artifacts" / "images" / f"values-{registry.replace(':', '-')}{suffix}.json"
    path.write_text(values)
    return path


def install(*, cluster: str, release: str, namespace: str, values: list[str], settings: list[str]) -> None:
    """Install or upgrade the release and wait until all of it is ready."""
    files = [argument for value in values for argument in ("--values", value)]
    pairs = [argument for setting in settings for argument in ("--set-json", setting)]
    command = [DEVCLUSTER, "helm", "--name", cluster, "upgrade", "--install", release, str(CHART)]
    command += ["--namespace", namespace, "--create-namespace", "--wait", "--timeout", "300s"]
    # The CRD may stand already, applied by hand from crds/.
    command += ["--take-ownership", "--force-conflicts", *files, *pairs]
    print(output_of(*command), file=sys.stderr)


def main() -> int:
    """Install; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tools/install.py", description=__doc__)
    parser.add_argument("--cluster", default="parpour", help="name of the dev cluster")
    parser.add_argument("--release", default="parpour")
    parser.add_argument("--namespace", default="parpour-system")
    parser.add_argument("--treasury", action="store_true", help="install the treasury; its values come in a file")
    parser.add_argument("--values", action="append", default=[], metavar="FILE", help="further values")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=JSON", help="one further value")
    arguments = parser.parse_args()
    status = json.loads(output_of(DEVCLUSTER, "status", "--name", arguments.cluster, "--json"))
    named = push_images(status["registry"], treasury=arguments.treasury)
    install(
        cluster=arguments.cluster,
        release=arguments.release,
        namespace=arguments.namespace,
        values=[str(named), *arguments.values],
        settings=[*(["treasury.enabled=true"] if arguments.treasury else []), *arguments.set],
    )
    coordinates = {"release": arguments.release, "namespace": arguments.namespace, "values": str(named)}
    print(json.dumps(coordinates | {"kubeconfig": status["kubeconfig"], "registry": status["registry"]}))
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except subprocess.CalledProcessError as error:
        print(f"INSTALL_FAILED: {' '.join(map(str, error.cmd[:4]))} … ended with {error.returncode}", file=sys.stderr)
        raise SystemExit(1) from None
