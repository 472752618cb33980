"""The page of the chart's values: descriptions from values.schema.json, defaults from values.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reference.markdown import cell, code, page, table

CHART = Path(__file__).resolve().parent.parent.parent / "charts" / "parpour"
Schema = dict[str, Any]

INTRODUCTION = """
Values of `charts/parpour`. A value that is not listed here, or of another type, is refused by Helm before anything is
sent to the cluster. How to use them: [install](../how-to/install.md), [external store and
bus](../how-to/use-an-external-store-and-bus.md).
"""


def leaves(schema: Schema, defaults: Any, path: str) -> Iterator[tuple[str, Schema, Any]]:
    """Every value below `path`, down to where values have a description of their own."""
    for name, child in schema.get("properties", {}).items():
        default = defaults.get(name) if isinstance(defaults, dict) else None
        if any("description" in below or "properties" in below for below in child.get("properties", {}).values()):
            yield from leaves(child, default, f"{path}.{name}")
        else:
            yield f"{path}.{name}", child, default


def type_of(schema: Schema) -> str:
    """A value's type, or the words it may be."""
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    shown = " or ".join(kind) if isinstance(kind, list) else str(kind)
    items = schema.get("items", {})
    return f"list of {items['type']}" if shown == "array" and "type" in items else shown.replace("array", "list")


def chart_page() -> str:
    """docs/reference/chart-values.md.

    Raises:
        ValueError: if a value has no description.
    """
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    parts = [INTRODUCTION]
    for top, child in schema["properties"].items():
        if top == "global":  # Helm's own; the chart reads nothing of it
            continue
        found = list(leaves(child, defaults.get(top), top)) or [(top, child, defaults.get(top))]
        bare = [path for path, leaf, _ in found if not leaf.get("description")]
        if bare:
            raise ValueError(f"values.schema.json: no description of {', '.join(bare)}")
        rows = [(code(p), type_of(s), code(json.dumps(d)), cell(s["description"])) for p, s, d in found]
        parts.append(
            f"## {top}\n\n{cell(child.get('description', ''))}\n\n"
            + table(("Value", "Type", "Default", "Meaning"), rows)
        )
    return page("Chart values", *parts, source="charts/parpour/values.schema.json and values.yaml")
