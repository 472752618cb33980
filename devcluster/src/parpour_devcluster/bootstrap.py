"""What a new cluster is given before anyone uses it: the objects of manifests/cluster.yaml, and the images of its node.

Objects are applied by the small client rather than by kubectl, whose discovery takes longer than all of them together.
"""

from __future__ import annotations

import string
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from parpour_devcluster.api import KubernetesClient
from parpour_devcluster.components import CONTAINERD_SOCKET, DNS_IMAGE
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.layout import Layout
from parpour_devcluster.namespaces import Namespaces


def manifests(layout: Layout) -> Iterator[dict[str, Any]]:
    """The objects that every cluster holds."""
    template = (Path(__file__).parent / "manifests" / "cluster.yaml").read_text(encoding="utf-8")
    filled = string.Template(template).substitute(dns_address=layout.dns_address, dns_image=DNS_IMAGE)
    yield from yaml.safe_load_all(filled)


def apply_manifests(layout: Layout, client: KubernetesClient) -> None:
    """Applies them.

    Raises:
        DevclusterError: DEVCLUSTER_APPLY_REFUSED.
    """
    for document in manifests(layout):
        client.apply(document)


def start_import(namespaces: Namespaces, archive: Path) -> subprocess.Popen[str]:
    """Begins to hand an image archive to containerd."""
    inside = ["nsenter", "--target", str(namespaces.holder), "--net", "--mount", "--"]
    command = ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images", "import", str(archive)]
    return subprocess.Popen([*inside, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish_import(running: subprocess.Popen[str], *, timeout: float) -> None:
    """Waits for an import, at most `timeout` seconds.

    Raises:
        DevclusterError: DEVCLUSTER_IMAGE_NOT_LOADED.
    """
    _, errors = running.communicate(timeout=timeout)
    if running.returncode != 0:
        raise DevclusterError(
            "DEVCLUSTER_IMAGE_NOT_LOADED",
            f"containerd did not take an image: {errors.strip()[-300:]}",
            remedy="Read its log with: parpour-devcluster logs containerd",
        )
