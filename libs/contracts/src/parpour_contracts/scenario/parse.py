"""From text to a checked scenario, from overrides to another one, and to the canonical bytes that name it.

Parsing and overriding both end in the same validation, so a swept parameter is held to the limits of a written one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from parpour_contracts.scenario.document import Scenario
from parpour_contracts.scenario.errors import ScenarioError, nearest
from parpour_contracts.scenario.registry import MODELS, document_class
from parpour_contracts.scenario.text import Value, number, read

Document = TypeVar("Document", bound=Scenario)


@dataclass(frozen=True)
class Parameter:
    """A number of a scenario that an override or a design may vary; bounds are inclusive unless the field says so."""

    path: str
    kind: Literal["integer", "decimal"]
    value: int | Decimal
    minimum: Decimal | None
    maximum: Decimal | None
    unit: str
    meaning: str


def parse_scenario(text: str) -> Scenario:
    """The scenario that a YAML document describes.

    Raises ScenarioError with the code, the dotted path and the remedy of the first fault.
    """
    return validate(read(text))


def validate(value: Value) -> Scenario:
    """The scenario of plain values (as `read` gives them); raises ScenarioError."""
    if not isinstance(value, dict):
        raise ScenarioError("SCENARIO_MALFORMED", "", "the document must be a map that begins with apiVersion")
    if "model" not in value:
        raise ScenarioError("SCENARIO_MISSING_FIELD", "model", f"this field is required; known: {', '.join(MODELS)}")
    return checked(document_class(value["model"]), value)


def checked(kind: type[Document], value: Value) -> Document:
    """The document of this class; raises ScenarioError."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise first_fault(error, kind) from None


RANGE_FAULTS = ("greater_than", "less_than", "too_long", "too_short", "literal_error", "union_tag_invalid")
NO_NUMBER = "should be a finite number, such as 0.25"
"""Exact decimals are the one type that is checked by its class."""


def first_fault(error: ValidationError, document: type[BaseModel]) -> ScenarioError:
    """The fault that explains the validation of a document best: an unknown field, else the one that lies deepest, and
    a section's own words before a choice that it is none of."""
    fault = min(
        error.errors(include_url=False),
        key=lambda fault: (fault["type"] != "extra_forbidden", -len(fault["loc"]), fault["type"] != "value_error"),
    )
    path = ".".join(str(part) for part in walk(document, fault["loc"])[0])
    kind = fault["type"]
    if kind == "extra_forbidden":
        sections = walk(document, fault["loc"][:-1])[1]
        known = [info.alias or name for model in sections for name, info in model.model_fields.items()]
        hint = nearest(str(fault["loc"][-1]), known)
        return ScenarioError("SCENARIO_UNKNOWN_FIELD", path, f"no such field{hint}")
    if kind == "missing":
        return ScenarioError("SCENARIO_MISSING_FIELD", path, "this field is required")
    if fault["loc"][-1:] == ("[key]",):
        known = fault.get("ctx", {}).get("expected", "").replace("'", "").replace(" or ", ", ").split(", ")
        return ScenarioError("SCENARIO_UNKNOWN_FIELD", path, f"no such key{nearest(str(fault['input']), known)}")
    message = NO_NUMBER if kind == "is_instance_of" else fault["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return ScenarioError("SCENARIO_INVALID", *placed(document, fault["loc"], path, message))
    code = "SCENARIO_OUT_OF_RANGE" if any(name in kind for name in RANGE_FAULTS) else "SCENARIO_WRONG_TYPE"
    return ScenarioError(code, path, f"{message} (given: {str(fault['input'])[:80]})")


def placed(document: type[BaseModel], loc: tuple[int | str, ...], path: str, message: str) -> tuple[str, str]:
    """Path and message of a contradiction that a section found: a path at the message's head belongs to the path."""
    head, colon, rest = message.partition(": ")
    models = walk(document, loc)[1]
    for name in head.split("."):
        fields = [model.model_fields[found] for model in models if (found := field_name(model, name))]
        if not fields or not colon:
            return path, message
        models = [model for field in fields for model in models_of(field.annotation)]
    return f"{path}.{head}" if path else head, rest


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The sections that an annotation can hold (through unions, tuples and Annotated)."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    found: list[type[BaseModel]] = []
    for part in getattr(annotation, "__args__", ()):
        found.extend(models_of(part))
    return found


def is_map(annotation: Any) -> bool:
    """Whether an annotation can hold a map, whose keys the document shows (through unions and Annotated)."""
    if getattr(annotation, "__origin__", annotation) is dict:
        return True
    return any(is_map(part) for part in getattr(annotation, "__args__", ()))


def field_name(model: type[BaseModel], key: str) -> str | None:
    """The attribute behind a document's key."""
    for name, info in model.model_fields.items():
        if key in (info.alias, name):
            return name
    return None


def tag_of(model: type[BaseModel]) -> str | None:
    """The value of `law` or `kind` by which a union tells its members apart."""
    for key in ("law", "kind"):
        info = model.model_fields.get(key)
        if info is not None:
            return str(info.annotation.__args__[0]) if info.annotation is not None else None
    return None


def walk(document: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[int | str], list[type[BaseModel]]]:
    """The parts of a pydantic location that the document shows, and the sections that can stand at its end.

    Pydantic inserts the names of union members; a document does not show them.
    """
    models: list[type[BaseModel]] = [document]
    shown: list[int | str] = []
    inside_map = False
    for position, part in enumerate(loc):
        if inside_map:
            inside_map = False
            shown.append(part)
            continue
        tagged = [model for model in models if part in (tag_of(model), model.__name__)]
        if tagged:
            models = tagged
            continue
        names = [(model, field_name(model, str(part))) for model in models]
        fields = [model.model_fields[name] for model, name in names if name]
        if fields or isinstance(part, int) or (position == len(loc) - 1 and is_word(part)):
            shown.append(part)
        if fields:
            models = [model for field in fields for model in models_of(field.annotation)]
            inside_map = any(is_map(field.annotation) for field in fields)
    return shown, models


def is_word(part: str) -> bool:
    """Whether a location's last part is a document's key rather than the name of a type."""
    return not any(mark in part for mark in "[](),") and part not in ("int", "str", "decimal", "constrained-int")


def bounds(info: FieldInfo) -> tuple[Decimal | None, Decimal | None]:
    """The least and the greatest value that a field's constraints or its list of numbers name."""
    listed = [Decimal(item) for item in getattr(info.annotation, "__args__", ()) if isinstance(item, int)]
    low: Decimal | None = min(listed, default=None)
    high: Decimal | None = max(listed, default=None)
    for item in constraints(info):
        if isinstance(item, Ge):
            low = Decimal(str(item.ge))
        elif isinstance(item, Gt):
            low = Decimal(str(item.gt))
        elif isinstance(item, Le):
            high = Decimal(str(item.le))
    return low, high


def constraints(info: FieldInfo) -> list[object]:
    """The constraints of a field, also those inside an optional."""
    found: list[object] = list(info.metadata)
    for part in getattr(info.annotation, "__args__", ()):
        for item in getattr(part, "__metadata__", ()):
            found.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return found


def parameters(scenario: Scenario) -> Mapping[str, Parameter]:
    """Every number of the scenario by its dotted path, in document order (a list's items by their index)."""
    found: dict[str, Parameter] = {}

    def visit(value: object, path: str, info: FieldInfo | None) -> None:
        if isinstance(value, BaseModel):
            for name, field in type(value).model_fields.items():
                key = field.alias or name
                visit(getattr(value, name), f"{path}.{key}" if path else key, field)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                visit(item, f"{path}.{index}", info)
        elif isinstance(value, int | Decimal) and not isinstance(value, bool) and info is not None:
            low, high = bounds(info)
            found[path] = Parameter(
                path=path,
                kind="integer" if isinstance(value, int) else "decimal",
                value=value,
                minimum=low,
                maximum=high,
                unit=scenario.units.get(path.rsplit(".", 1)[-1], ""),
                meaning=info.description or "",
            )

    visit(scenario, "", None)
    return found


def plain(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain maps and lists with the document's keys, exact numbers kept."""
    return scenario.model_dump(by_alias=True, mode="python")


def override(scenario: Document, values: Mapping[str, str]) -> Document:
    """The scenario with some parameters replaced by the numbers that the texts spell.

    Raises ScenarioError SCENARIO_UNKNOWN_PARAMETER (with the nearest name), SCENARIO_WRONG_TYPE for text that is no
    number, and whatever the replaced document violates.
    """
    if not values:
        return scenario
    known = parameters(scenario)
    document: Any = plain(scenario)
    for path, text in values.items():
        if path not in known:
            raise ScenarioError(
                "SCENARIO_UNKNOWN_PARAMETER", path, f"the scenario has no such parameter{nearest(path, known)}"
            )
        spelled = number(text, path)
        if spelled is None or (known[path].kind == "integer" and not isinstance(spelled, int)):
            if isinstance(spelled, Decimal) and spelled == spelled.to_integral_value():
                spelled = int(spelled)
            else:
                raise ScenarioError("SCENARIO_WRONG_TYPE", path, f"{text!r} is not {known[path].kind} text")
        *parents, last = path.split(".")
        place = document
        for part in parents:
            place = place[int(part) if isinstance(place, list | tuple) else part]
        place[last] = spelled
    return checked(type(scenario), document)


def canonical(scenario: Scenario) -> bytes:
    """The bytes that name a scenario: canonical JSON with every default written out and numbers normalised.

    Two documents that differ in layout, comments, order or trailing zeros have the same bytes.
    """

    def normal(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): normal(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [normal(item) for item in value]
        if isinstance(value, Decimal):
            return f"{value.normalize():f}" if value else "0"
        return value

    return json.dumps(normal(plain(scenario)), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def json_schema(model: str | None = None) -> dict[str, Any]:
    """JSON Schema of one model's documents or of all models', for editors (`# yaml-language-server: $schema=...`).

    Raises ScenarioError for an unknown model.
    """
    classes = list(MODELS.values()) if model is None else [document_class(model)]
    any_of: Any = reduce(or_, classes)
    document: Any = Annotated[any_of, Field(discriminator="model")] if len(classes) > 1 else any_of
    schema = TypeAdapter(document).json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "civlab scenario", **schema}
