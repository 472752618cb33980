"""The page of event types: what each says, version by version, from the models that its payloads are held to."""

from __future__ import annotations

from typing import Any

from parpour_contracts.eventtypes import EventType, EventTypes
from parpour_controlplane import eventtypes as controlplane
from parpour_treasury import eventtypes as treasury
from reference.markdown import cell, code, page, table

AREAS = {**treasury.AREAS, "Control plane": controlplane.EVENT_TYPES}
"""Types by the heading that they stand under."""

INTRODUCTION = """
Every event has a type, and a version of what its payload says. An event is never rewritten; readers ask for the newest
form and get it from any version. How events get their place, reach the bus and are proven is in
[events](../explanation/events.md). On the bus an event has the subject `parpour.events.<tenant>.<type>`.
"""


def shape(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return shape(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(shape(one, definitions) for one in schema["anyOf"])
    if "prefixItems" in schema:
        return "[" + ", ".join(shape(one, definitions) for one in schema["prefixItems"]) + "]"
    if schema.get("type") == "array":
        return f"list of {shape(schema['items'], definitions)}"
    return str(schema.get("format", schema.get("type", "any")))


def section(one: EventType, types: EventTypes) -> str:
    """One type with the fields of its newest version, or where they stand if an earlier type says the same."""
    version = len(one.models)
    head = f"### {one.name}\n\n{one.summary} Version {version}."
    first = next(other for other in types if other.models == one.models)
    if first is not one:
        return f"{head} Its fields are those of [{first.name}](#{first.name.replace('.', '')})."
    schema = types.schema(one.name, version)
    definitions = schema.get("$defs", {})
    rows = [
        (code(name), cell(shape(field, definitions)), cell(field.get("description", "")))
        for name, field in schema["properties"].items()
    ]
    return f"{head}\n\n" + table(("Field", "Type", "Meaning"), rows)


def events_page() -> str:
    """docs/reference/events.md."""
    types = EventTypes(one for declared in AREAS.values() for one in declared)
    parts = [INTRODUCTION]
    for area, declared in AREAS.items():
        parts.append("\n\n".join([f"## {area}", *(section(one, types) for one in declared)]))
    return page("Events", *parts, source="parpour_treasury.eventtypes and parpour_controlplane.eventtypes")
