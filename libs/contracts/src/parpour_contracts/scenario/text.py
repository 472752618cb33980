"""Reads the YAML of a scenario: a strict subset, from text to plain values.

Aliases, anchors, tags and merge keys are refused (a kilobyte of aliases can stand for a billion nodes), so are
duplicate keys and deep nesting; numbers with a point become exact `Decimal`, because a float would already have lost
the digits that the compiler turns into integers.
"""

from __future__ import annotations

import re
from decimal import Decimal

import yaml

from parpour_contracts.scenario.errors import ScenarioError

MAXIMUM_BYTES = 256 * 1024
MAXIMUM_DEPTH = 16
MAXIMUM_NODES = 50_000
MAXIMUM_DIGITS = 40

type_of_plain = re.compile(
    r"(?P<integer>[-+]?(?:0|[1-9][0-9]*))|(?P<decimal>[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
)

Value = None | bool | int | Decimal | str | list["Value"] | dict[str | int, "Value"]


def number(text: str, path: str) -> int | Decimal | None:
    """The exact number that a plain scalar spells, or None if it spells none.

    Raises ScenarioError SCENARIO_OUT_OF_RANGE for a number of more than 40 characters.
    """
    match = type_of_plain.fullmatch(text)
    if match is None:
        return None
    if len(text) > MAXIMUM_DIGITS:
        raise ScenarioError("SCENARIO_OUT_OF_RANGE", path, f"write the number in at most {MAXIMUM_DIGITS} characters")
    return int(text) if match.group("integer") is not None else Decimal(text)


def read(text: str) -> Value:
    """The plain value of a document: maps with text or integer keys, lists, text, bool, None, int and Decimal.

    Raises ScenarioError with SCENARIO_TOO_LARGE, SCENARIO_ALIAS, SCENARIO_DUPLICATE_KEY, SCENARIO_TOO_DEEP or
    SCENARIO_MALFORMED.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAXIMUM_BYTES:
        raise ScenarioError(
            "SCENARIO_TOO_LARGE", "", f"the document has {size:,} bytes; keep it under {MAXIMUM_BYTES:,}"
        )
    try:
        refuse_aliases_and_depth(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError("SCENARIO_MALFORMED", "", f"not valid YAML: {one_line(error)}") from error
    if node is None:
        raise ScenarioError("SCENARIO_MALFORMED", "", "the document is empty; begin with apiVersion: civlab/v1")
    return construct(node, "")


def line_of(mark: object) -> int:
    """The line of a place in the text, from 1."""
    return int(getattr(mark, "line", 0)) + 1


def one_line(error: Exception) -> str:
    """The error's text on one line of at most 200 characters."""
    return " ".join(str(error).split())[:200]


def refuse_aliases_and_depth(text: str) -> None:
    """Walks the events of the parser, which costs no memory, before any tree is built."""
    depth = 0
    nodes = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        where = f"line {line_of(event.start_mark)}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ScenarioError("SCENARIO_ALIAS", "", f"{where}: anchors and aliases are refused; write the value out")
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            if getattr(event, "tag", None) is not None:
                raise ScenarioError("SCENARIO_MALFORMED", "", f"{where}: tags are refused; write the plain value")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAXIMUM_DEPTH or nodes > MAXIMUM_NODES:
            raise ScenarioError(
                "SCENARIO_TOO_DEEP", "", f"{where}: at most {MAXIMUM_DEPTH} levels and {MAXIMUM_NODES:,} values"
            )


def construct(node: yaml.Node, path: str) -> Value:
    """The value of a composed node; numbers are exact."""
    if isinstance(node, yaml.MappingNode):
        result: dict[str | int, Value] = {}
        for key_node, value_node in node.value:
            key = construct(key_node, path)
            if isinstance(key, bool) or not isinstance(key, str | int) or key == "<<":
                raise ScenarioError("SCENARIO_MALFORMED", path, "a key must be a plain word or a whole number")
            below = f"{path}.{key}" if path else str(key)
            if key in result:
                line = line_of(key_node.start_mark)
                raise ScenarioError("SCENARIO_DUPLICATE_KEY", below, f"given twice, again in line {line}; keep one")
            result[key] = construct(value_node, below)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [construct(child, f"{path}.{index}" if path else str(index)) for index, child in enumerate(node.value)]
    return scalar(node, path)


def scalar(node: yaml.Node, path: str) -> Value:
    """The value of a scalar: quoted text stays text; true, false, null and numbers are what they look like."""
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in ("", "null", "~"):
        return None
    if text in ("true", "false"):
        return text == "true"
    spelled = number(text, path)
    return text if spelled is None else spelled
