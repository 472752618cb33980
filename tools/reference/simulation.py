"""The pages of the resources, from the schemas that the API server is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from parpour_contracts import GROUP, VERSION, crd
from reference.markdown import cell, code, page, table

Schema = dict[str, Any]

INTRODUCTION = """
A Simulation runs one scenario as an ensemble of worlds. It is namespaced, its short name is `sim`, and
`kubectl explain simulation.spec` prints what stands here. An example is
[examples/epidemic.yaml](../how-to/run-an-ensemble.md#a-simulation-in-full); what a scenario may hold is in
[epidemic parameters](epidemic-parameters.md).
"""

VENTURE_INTRODUCTION = """
A Venture is a tenant: a namespace of its own and a budget in the treasury. It is cluster-scoped, and served only where
the installation has a treasury. An example is examples/venture.yaml; how money is reserved and settled is in
[funding](../explanation/funding.md).
"""


def type_of(schema: Schema) -> str:
    """A field's type in a word or two, with its format where it is one that people know."""
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    kind = str(schema["type"])
    if kind == "array":
        return f"list of {type_of(schema['items'])}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map of {type_of(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time"
    return kind


def bounds_of(schema: Schema) -> str:
    """The values that a field takes, as far as the schema says so."""
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        shown = ["" if bound is None else f"{bound:,}" for bound in (low, high)]
        return f"{shown[0]} … {shown[1]}".strip()
    limits = (("maxItems", "items"), ("maxProperties", "keys"), ("maxLength", "characters"))
    return next((f"at most {schema[key]:,} {noun}" for key, noun in limits if key in schema), "")


def default_of(schema: Schema) -> str:
    """The default as JSON; nothing for an object, whose fields tell theirs."""
    return json.dumps(schema["default"]) if "default" in schema and "properties" not in schema else ""


def anchor(heading: str) -> str:
    """The anchor of a heading, as the site makes it."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_")


def sections(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every object with named fields below `path`, outermost first."""
    if schema.get("type") == "array":
        yield from sections(schema["items"], f"{path}[]")
        return
    if "properties" not in schema:
        return
    yield path, schema
    for name, child in schema["properties"].items():
        yield from sections(child, f"{path}.{name}")


def section(path: str, schema: Schema) -> str:
    """One object: what it is, its fields, and the rules that bind them together."""
    required = set(schema.get("required", ()))
    rows = []
    for name, child in schema["properties"].items():
        default = "**required**" if name in required else code(default_of(child))
        kind = type_of(child)
        if "properties" in child.get("items", child):
            kind = f"[{kind}](#{anchor(f'{path}.{name}')})"
        rows.append((code(name), kind, default, bounds_of(child), cell(child.get("description", ""))))
    parts = [f"## {path}", cell(schema.get("description", ""))]
    parts.append(table(("Field", "Type", "Default", "Values", "Meaning"), rows))
    rules = [f"- {rule['message']}" for rule in schema.get("x-kubernetes-validations", ())]
    if rules:
        parts.append("Checked at admission:\n\n" + "\n".join(rules))
    return "\n\n".join(part for part in parts if part)


def admission_rules(root: Schema) -> str:
    """What the API server holds the whole resource to."""
    names = [rule["message"] for rule in root["x-kubernetes-validations"] if rule["fieldPath"] == ".metadata.name"]
    lines = [f"- {message}" for message in names]
    if "startTime" in root["properties"]["status"]["properties"]:
        fixed = ", ".join(code(name) for name in crd.MUTABLE_FIELDS)
        lines.append(f"- once `status.startTime` is set, only {fixed} of `spec` change; the refusal names the field")
    return "## Rules of the whole resource\n\n" + "\n".join(lines)


def columns(version: Schema) -> str:
    """What `kubectl get` prints, and what a field selector takes."""
    rows = [
        (cell(c["name"]), code(c["jsonPath"]), "`-o wide`" if c.get("priority") else "always")
        for c in version["additionalPrinterColumns"]
    ]
    shown = "## kubectl\n\n" + table(("Column", "Path", "Shown"), rows)
    selectable = ", ".join(code(field["jsonPath"].lstrip(".")) for field in version.get("selectableFields", ()))
    if not selectable:
        return shown
    example = "kubectl get sim --field-selector status.state=Failed"
    return f"{shown}\n\nField selectors: {selectable}; for example `{example}`."


def api_page(definition: Schema, introduction: str, source: str) -> str:
    """The page of one CustomResourceDefinition."""
    version = definition["spec"]["versions"][0]
    root = version["schema"]["openAPIV3Schema"]
    kind = definition["spec"]["names"]["kind"]
    parts = [introduction, f"```yaml\napiVersion: {GROUP}/{VERSION}\nkind: {kind}\n```"]
    parts.append(admission_rules(root))
    for name in ("spec", "status"):
        parts += [section(path, schema) for path, schema in sections(root["properties"][name], name)]
    parts.append(columns(version))
    return page(kind, *parts, source=source)


def simulation_page() -> str:
    """docs/reference/simulation.md."""
    return api_page(crd.simulation_crd(), INTRODUCTION, "parpour_contracts.simulation")


def venture_page() -> str:
    """docs/reference/venture.md."""
    return api_page(crd.venture_crd(), VENTURE_INTRODUCTION, "parpour_contracts.venture")
