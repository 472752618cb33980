"""What a Venture's namespace is given, so that a Simulation can run there: the same that the chart writes elsewhere.

A namespace that is made while the chart rests cannot be the chart's to fill. Manifests and secrets are mounted beside
the operator and applied as they stand, so it needs no right to read a Secret, and one place decides what they hold.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


def read_furniture(folder: Path) -> tuple[Manifest, ...]:
    """The manifests of `objects/*.yaml`, and a Secret for each folder below `secrets/` that has files; by their names.

    Raises:
        OSError, yaml.YAMLError: if a file cannot be read.
    """
    documents = [
        document
        for path in sorted((folder / "objects").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document
    ]
    secrets = sorted(path for path in (folder / "secrets").glob("*") if path.is_dir())
    return (*documents, *(made for path in secrets if (made := _secret(path)) is not None))


def _secret(folder: Path) -> Manifest | None:
    """The Secret of a mounted one's files, whose links the kubelet keeps under names that begin with a dot."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        return None
    data = {path.name: base64.b64encode(path.read_bytes()).decode() for path in files}
    labels = {"app.kubernetes.io/managed-by": "parpour", "app.kubernetes.io/part-of": "parpour"}
    meta = {"name": folder.name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def placed(manifest: Manifest, namespace: str) -> Manifest:
    """The same in a namespace."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
