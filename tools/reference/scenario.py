"""The pages of scenario documents: every section and field of each model, from the document's own schema.

Sections stand in the order in which a reader of the document meets them; what several fields share stands once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parpour_contracts.scenario import BUILTIN, MODELS, json_schema, parameters, parse_scenario
from reference.markdown import cell, code, page, table

Schema = dict[str, Any]

INTRODUCTION = """
A scenario document is YAML (a strict subset: no anchors, aliases or tags, no key twice, at most 256 KiB, or 128 Ki
characters inside a Simulation). The same text is a file for `civlab run`, the content of a ConfigMap key, or
`spec.scenario.inline` of a [Simulation](simulation.md#specscenario). Numbers are read exactly, digit by digit; no
number passes through a float. A field that is not listed here is refused with the nearest name.

`civlab scenarios schema` prints the same facts as a JSON Schema for editors.
"""

PATHS = """
## Paths of parameters

Overrides (`--set`, `spec.parameters`) and designs (`--design`, `spec.ensemble.design`) address any *number* of the
document by its dotted path; items of a list by their place, from 0. Every section that the document leaves out but
that has a default counts as written. These are the paths of {example}:
"""

DOCUMENT = "The document"
EXAMPLES = Path(__file__).parents[2] / "examples"
CHOSEN_BY = ("law", "kind")
"""Fields whose one value tells the variants of a section apart."""


def referred(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    """Names of the sections that a field leads to, with the path that leads there."""
    for choice in alternatives(schema):
        if "$ref" in choice:
            yield choice["$ref"].rsplit("/", 1)[-1], path
        elif "anyOf" in choice or "oneOf" in choice:
            yield from referred(choice, path)
        elif choice.get("type") == "array" and isinstance(choice.get("items"), dict):
            yield from referred(choice["items"], f"{path}[]")
        elif choice.get("type") == "object" and isinstance(choice.get("additionalProperties"), dict):
            yield from referred(choice["additionalProperties"], f"{path}{{}}")


def variant(definition: Schema) -> str:
    """The field and value by which this section is told from its alternatives; empty for a section without any."""
    fields = definition.get("properties", {})
    return next((f"{name} {fields[name]['const']}" for name in CHOSEN_BY if "const" in fields.get(name, {})), "")


def titles(schema: Schema) -> dict[str, str]:
    """A heading for each section of a document, in reading order: its path, or its name where many paths share it."""
    definitions: dict[str, Schema] = {"": schema, **schema.get("$defs", {})}
    ways: dict[str, list[str]] = {}

    def walk(name: str, path: str) -> None:
        for field, child in definitions[name].get("properties", {}).items():
            for target, way in referred(child, f"{path}.{field}" if path else field):
                seen = target in ways
                ways[target] = list(dict.fromkeys([*ways.get(target, []), way]))
                if not seen:
                    walk(target, way)

    walk("", "")
    found = {"": DOCUMENT}
    for name, paths_to in ways.items():
        what = variant(definitions[name])
        if what.startswith("law "):
            found[name] = f"Law: {what.removeprefix('law ')}"
        elif what:
            nearest = min(paths_to, key=lambda path: path.count("."))
            found[name] = f"{nearest}: {what.removeprefix('kind ')}"
        else:
            found[name] = paths_to[0] if len(paths_to) == 1 else spoken(name)
    return found


def spoken(name: str) -> str:
    """A class name as words: `AgeValue` is "Age value"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def linked(name: str, headings: Mapping[str, str]) -> str:
    """A link to a section of the page."""
    heading = headings[name]
    slug = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ")
    label = heading.rsplit(": ", 1)[-1].removesuffix("[]")
    return f"[{label}](#{'-'.join(slug.split())})"


def alternatives(schema: Schema) -> list[Schema]:
    """What a value may be, null left out."""
    found = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [choice for choice in found if choice.get("type") != "null"]


WORDS = {"number": "decimal", "string": "text"}


def kind_of(schema: Schema, headings: Mapping[str, str]) -> str:
    """A field's type for people."""
    names: list[str] = []
    for choice in alternatives(schema):
        if "$ref" in choice:
            names.append(linked(choice["$ref"].rsplit("/", 1)[-1], headings))
        elif "anyOf" in choice or "oneOf" in choice:
            names.append(kind_of(choice, headings))
        elif "enum" in choice or "const" in choice:
            names.append(" or ".join(code(value) for value in choice.get("enum", [choice.get("const")])))
        elif choice.get("type") == "array":
            names.append(f"list of {kind_of(choice['items'], headings)}")
        elif choice.get("type") == "object":
            names.append(f"map of {key_of(choice)} to {kind_of(choice['additionalProperties'], headings)}")
        else:
            names.append(WORDS.get(choice["type"], str(choice["type"])))
    if "decimal" in names and "text" in names:  # JSON Schema lets exact numbers be text; a document writes the number
        names.remove("text")
    return " or ".join(dict.fromkeys(names))


def key_of(schema: Schema) -> str:
    """What the keys of a map are, for people."""
    names = schema.get("propertyNames", {})
    return " or ".join(code(value) for value in names["enum"]) if "enum" in names else "whole number"


LIMITS = (("minimum", "ge", "exclusiveMinimum", "gt"), ("maximum", "le", "exclusiveMaximum", "lt"))


def range_of(schema: Schema) -> str:
    """The bounds of a number; a bound that the number may not reach is told."""
    for choice in (schema, *alternatives(schema)):
        found = [next(((key, choice[key]) for key in keys if key in choice), None) for keys in LIMITS]
        if any(found):
            return " … ".join("" if bound is None else shown_bound(*bound) for bound in found).strip()
    return ""


def shown_bound(key: str, value: object) -> str:
    """A bound with separators where it is large."""
    number = f"{value:,}" if isinstance(value, int) else str(value)
    return f"above {number}" if key in ("gt", "exclusiveMinimum") else number


def described(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """What the section says that a field consists of, where that is one section."""
    found = [choice.get("items", choice).get("$ref", "") for choice in alternatives(schema)]
    target = found[0].rsplit("/", 1)[-1] if len(found) == 1 else ""
    return str(definitions[target].get("description", "")) if target else ""


def section(name: str, definitions: Mapping[str, Schema], headings: Mapping[str, str], units: Mapping[str, str]) -> str:
    """One section of the document."""
    schema = definitions[name]
    required = set(schema.get("required", ()))
    rows = []
    for field, child in schema["properties"].items():
        default = child.get("default")
        shown = "**required**" if field in required else default_text(default)
        meaning = child.get("description", "") or unit_of(field, units) or described(child, definitions)
        rows.append((code(field), kind_of(child, headings), range_of(child), shown, cell(meaning)))
    head = cell(schema.get("description", ""))
    return f"## {headings[name]}\n\n{head}\n\n" + table(("Field", "Type", "Range", "Default", "Meaning"), rows)


def default_text(value: object) -> str:
    """A default as one writes it in a document; that of a whole section is told by its fields."""
    if value in (None, [], {}):
        return ""
    if isinstance(value, dict):
        if not set(CHOSEN_BY) & set(value):
            return "all defaults"
        value = {key: item for key, item in value.items() if item is not None}
    return code(json.dumps(value).replace('"', ""))


def unit_of(field: str, units: Mapping[str, str]) -> str:
    """What a field counts, where it has no description."""
    return {"d": "Ticks (days).", "persons": "Persons."}.get(units.get(field, ""), "")


def paths(text: str, example: str) -> str:
    """Every path of a document with its value and bounds."""
    rows = [
        (
            code(p.path),
            str(p.value),
            " … ".join("" if bound is None else f"{bound:,}" for bound in (p.minimum, p.maximum)),
        )
        for p in parameters(parse_scenario(text)).values()
    ]
    return PATHS.format(example=example).strip() + "\n\n" + table(("Path", "Value", "Range"), rows)


def example(model: str) -> str:
    """The paths of one document of the model: the builtin with the most numbers, or the one among the examples."""
    documents = {name: parse_scenario(text) for name, text in BUILTIN.items()}
    of_model = {name: document for name, document in documents.items() if document.model == model}
    if of_model:
        name = max(of_model, key=lambda one: len(parameters(of_model[one])))
        return paths(BUILTIN[name], f"the builtin scenario `{name}`")
    file = EXAMPLES / f"{model}-scenario.yaml"
    return paths(file.read_text("utf-8"), f"`examples/{file.name}`") if file.exists() else ""


def builtins(model: str) -> str:
    """The model's builtin scenarios."""
    documents = {name: parse_scenario(text) for name, text in BUILTIN.items()}
    rows = [(code(n), cell(s.title), f"{s.agents:,}") for n, s in documents.items() if s.model == model]
    return "## Builtin scenarios\n\n" + table(("Name", "Title", "Population"), rows) if rows else ""


def scenario_page(model: str) -> str:
    """docs/reference/MODEL-parameters.md."""
    schema = json_schema(model)
    definitions: dict[str, Schema] = {"": schema, **schema.get("$defs", {})}
    headings = titles(schema)
    parts = [section(name, definitions, headings, MODELS[model].units) for name in headings]
    return page(
        f"{model.capitalize()} parameters",
        INTRODUCTION,
        *parts,
        example(model),
        builtins(model),
        source="parpour_contracts.scenario",
    )
