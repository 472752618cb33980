"""Writes every file that is derived from code, or checks that none has drifted.

One table of (path, producer) is the whole list of generated files; `--check` is what CI runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from civlab.models import model_of
from civlab.runtime.building import PACKAGE
from civlab.runtime.header import generated_files
from client_code import client_module
from parpour_api.app import openapi
from parpour_api.graphql.schema import sdl
from parpour_contracts import crd
from parpour_contracts.scenario import MODELS
from parpour_operator.permissions import PERMISSIONS
from reference import PAGES

ROOT = Path(__file__).resolve().parent.parent


def crd_template(definition: crd.Schema) -> str:
    """The CRD as a chart template: upgraded with the release, kept when the release is uninstalled.

    Raises:
        ValueError: if the CRD holds what Helm would take for a template action.
    """
    text = crd.to_yaml(definition)
    if "{{" in text:
        raise ValueError("the CRD holds '{{', which Helm would evaluate")
    kept = "metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n"
    return "{{- if .Values.crds.install }}\n" + text.replace("metadata:\n", kept, 1) + "{{- end }}\n"


def chart_permissions() -> str:
    """The operator's permissions by scope, for the chart's roles."""
    scopes: dict[str, list[dict[str, list[str]]]] = {}
    for one in PERMISSIONS:
        rule = {"apiGroups": [one.group], "resources": list(one.resources), "verbs": list(one.verbs)}
        if one.names:
            rule["resourceNames"] = list(one.names)
        scopes.setdefault(one.scope, []).append(rule)
    head = "# Generated from parpour_operator.permissions by `make generate`; do not edit.\n"
    return head + yaml.safe_dump(scopes, sort_keys=True)


def kernel_sources() -> dict[str, Callable[[], str]]:
    """The headers and recounts of all models."""
    texts = {path: text for name in MODELS for path, text in generated_files(model_of(name)).items()}
    return {f"sim-worker/src/civlab/{path.relative_to(PACKAGE)}": partial(str, text) for path, text in texts.items()}


GENERATED: dict[str, Callable[[], str]] = {
    "crds/parpour.dev_simulations.yaml": lambda: crd.to_yaml(crd.simulation_crd()),
    "crds/parpour.dev_ventures.yaml": lambda: crd.to_yaml(crd.venture_crd()),
    "charts/parpour/templates/crd-simulations.yaml": lambda: crd_template(crd.simulation_crd()),
    "charts/parpour/templates/crd-ventures.yaml": lambda: crd_template(crd.venture_crd()),
    "charts/parpour/files/permissions.yaml": chart_permissions,
    "api/schema.graphql": sdl,
    "client/src/parpour_client/generated.py": client_module,
    "api/openapi.json": lambda: json.dumps(openapi(), indent=2) + "\n",
    **kernel_sources(),
    **PAGES,
}


def main() -> int:
    """Write the generated files, or with --check report those that differ; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file has drifted")
    check: bool = parser.parse_args().check
    drifted = []
    for name, produce in GENERATED.items():
        path = ROOT / name
        text = produce()
        if path.exists() and path.read_text() == text:
            continue
        drifted.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in drifted:
        print(f"{'drifted' if check else 'wrote'} {name}")
    if check and drifted:
        print("run `make generate` and commit the result", file=sys.stderr)
    return 1 if check and drifted else 0


if __name__ == "__main__":
    raise SystemExit(main())
