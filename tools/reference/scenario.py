"""The page of scenario documents: every section and field of the epidemic model, from the document's own schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from parpour_contracts.scenario import BUILTIN, EpidemicScenario, json_schema, parameters, parse_scenario
from reference.markdown import cell, code, page, table

Schema = dict[str, Any]
EPIDEMIC = "epidemic"

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
that has a default counts as written. These are the paths of the builtin scenario `{name}`:
"""

ORDER = (
    "EpidemicScenario",
    "Population",
    "Contacts",
    "Community",
    "Household",
    "School",
    "Work",
    "Disease",
    "Hospital",
    "Introduction",
    "ContactReduction",
    "CaseIsolation",
    "Vaccination",
    "AgeValue",
    "FixedLaw",
    "PoissonLaw",
    "NegativeBinomialLaw",
    "TableLaw",
)
TITLES = {
    "EpidemicScenario": "The document",
    "Population": "population",
    "Contacts": "contacts",
    "Community": "contacts.community",
    "Household": "contacts.household",
    "School": "contacts.school",
    "Work": "contacts.work",
    "Disease": "disease",
    "Hospital": "hospital",
    "Introduction": "introductions[]",
    "ContactReduction": "interventions[]: contact-reduction",
    "CaseIsolation": "interventions[]: case-isolation",
    "Vaccination": "interventions[]: vaccination",
    "AgeValue": "Tables by age",
    "FixedLaw": "Law: fixed",
    "PoissonLaw": "Law: poisson",
    "NegativeBinomialLaw": "Law: negative-binomial",
    "TableLaw": "Law: table",
}


def linked(name: str) -> str:
    """A link to a section of the page."""
    heading = TITLES[name]
    slug = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ")
    label = heading.removeprefix("interventions[]: ").removesuffix("[]")
    return f"[{label}](#{'-'.join(slug.split())})"


def alternatives(schema: Schema) -> list[Schema]:
    """What a value may be, null left out."""
    found = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [choice for choice in found if choice.get("type") != "null"]


WORDS = {"number": "decimal", "string": "text"}


def kind_of(schema: Schema) -> str:
    """A field's type for people."""
    names: list[str] = []
    for choice in alternatives(schema):
        if "$ref" in choice:
            target = choice["$ref"].rsplit("/", 1)[-1]
            names.append("[law](#law-fixed)" if target.endswith("Law") else linked(target))
        elif "anyOf" in choice or "oneOf" in choice:
            names.append(kind_of(choice))
        elif "enum" in choice or "const" in choice:
            names.append(" or ".join(code(value) for value in choice.get("enum", [choice.get("const")])))
        elif choice.get("type") == "array":
            names.append(f"list of {kind_of(choice['items'])}")
        elif choice.get("type") == "object":
            names.append("map of whole number to weight")
        else:
            names.append(WORDS.get(choice["type"], str(choice["type"])))
    if "decimal" in names and "text" in names:  # JSON Schema lets exact numbers be text; a document writes the number
        names.remove("text")
    return " or ".join(dict.fromkeys(names))


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


def section(name: str, schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """One section of the document."""
    required = set(schema.get("required", ()))
    rows = []
    for field, child in schema["properties"].items():
        default = child.get("default")
        shown = "**required**" if field in required else default_text(default)
        meaning = child.get("description", "") or unit_of(field) or described(child, definitions)
        rows.append((code(field), kind_of(child), range_of(child), shown, cell(meaning)))
    head = cell(schema.get("description", ""))
    return f"## {TITLES[name]}\n\n{head}\n\n" + table(("Field", "Type", "Range", "Default", "Meaning"), rows)


def default_text(value: object) -> str:
    """A default as one writes it in a document; that of a whole section is told by its fields."""
    if value is None or value == []:
        return ""
    if isinstance(value, dict) and "law" not in value:
        return "all defaults"
    return code(json.dumps(value).replace('"', ""))


def unit_of(field: str) -> str:
    """What a field counts, where it has no description."""
    return {"d": "Ticks (days).", "persons": "Persons."}.get(EpidemicScenario.units.get(field, ""), "")


def paths(name: str, documents: Mapping[str, str]) -> str:
    """Every path of one builtin scenario with its value and bounds."""
    rows = [
        (
            code(p.path),
            str(p.value),
            " … ".join("" if bound is None else f"{bound:,}" for bound in (p.minimum, p.maximum)),
        )
        for p in parameters(parse_scenario(documents[name])).values()
    ]
    return PATHS.format(name=name).strip() + "\n\n" + table(("Path", "Value", "Range"), rows)


def scenario_page() -> str:
    """docs/reference/epidemic-parameters.md.

    Raises:
        ValueError: if the document has a section that this page would leave out.
    """
    schema = json_schema(EPIDEMIC)
    definitions: dict[str, Schema] = {"EpidemicScenario": schema, **schema["$defs"]}
    if set(definitions) != set(ORDER):
        raise ValueError(f"scenario sections and their page differ: {sorted(set(definitions) ^ set(ORDER))}")
    parts = [section(name, definitions[name], definitions) for name in ORDER]
    documents = {name: parse_scenario(text) for name, text in BUILTIN.items()}
    builtins = [(code(n), cell(s.title), f"{s.agents:,}") for n, s in documents.items() if s.model == EPIDEMIC]
    shipped = "## Builtin scenarios\n\n" + table(("Name", "Title", "Population"), builtins)
    return page(
        "Epidemic parameters",
        INTRODUCTION,
        *parts,
        paths("vaccination", BUILTIN),
        shipped,
        source="parpour_contracts.scenario",
    )
