"""The CRD is a structural schema that agrees with the models it was made from."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from parpour_contracts.crd import MUTABLE_FIELDS, simulation_crd, structural_schema, to_yaml, venture_crd
from parpour_contracts.simulation import SimulationSpec
from parpour_contracts.venture import VentureSpec

pytestmark = pytest.mark.unit

both = pytest.mark.parametrize("crd", [simulation_crd(), venture_crd()], ids=["simulation", "venture"])


def _schema(crd: dict[str, Any] | None = None) -> dict[str, Any]:
    version = (crd or simulation_crd())["spec"]["versions"][0]
    root: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return root


def _fields(node: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    found = [(path, node)]
    for name, child in node.get("properties", {}).items():
        found += _fields(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            found += _fields(node[key], f"{path}[]")
    return found


@both
def test_every_named_field_has_a_description(crd: dict[str, Any]) -> None:
    missing = [
        path
        for path, node in _fields(_schema(crd)["properties"]["spec"], "spec")
        + _fields(_schema(crd)["properties"]["status"], "status")
        if not path.endswith("[]") and not node.get("description")
    ]
    assert missing == []


@both
def test_every_node_has_a_type_and_no_reference(crd: dict[str, Any]) -> None:
    for path, node in _fields(_schema(crd), ""):
        assert "$ref" not in node, path
        assert "type" in node or node.get("x-kubernetes-int-or-string"), path


@both
def test_strings_lists_and_maps_are_bounded_so_that_rules_have_a_known_cost(crd: dict[str, Any]) -> None:
    for path, node in _fields(_schema(crd)["properties"]["spec"], "spec"):
        if node.get("type") == "string" and "enum" not in node:
            assert "maxLength" in node, path
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if "additionalProperties" in node:
            assert "maxProperties" in node, path


@both
def test_the_crd_is_small_enough_for_client_side_apply(crd: dict[str, Any]) -> None:
    assert len(to_yaml(crd).encode()) < 60_000


@both
def test_yaml_reads_back_as_the_same_document(crd: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(crd)) == crd


def test_all_of_the_spec_but_three_fields_is_covered_by_an_immutability_rule() -> None:
    rules = {r["fieldPath"] for r in _schema()["x-kubernetes-validations"] if r["fieldPath"].startswith(".spec")}
    spec = _schema()["properties"]["spec"]["properties"]
    assert rules == {f".spec.{name}" for name in spec if name not in MUTABLE_FIELDS}


def test_defaults_in_the_schema_are_the_defaults_of_the_model() -> None:
    given = {"scenario": {"builtin": "epidemic"}}
    filled = _with_defaults(given, _schema()["properties"]["spec"])
    assert SimulationSpec.model_validate(filled) == SimulationSpec.model_validate(given)


def test_a_ventures_namespace_and_currency_are_held_by_transition_rules() -> None:
    rules = {r["fieldPath"] for r in _schema(venture_crd())["properties"]["spec"]["x-kubernetes-validations"]}
    assert {".namespace", ".budget.currency"} <= rules
    given = {
        "displayName": "Acme",
        "owners": [{"subject": "ann", "person": "ann"}],
        "budget": {"amount": "5.00", "currency": "USD"},
    }
    filled = _with_defaults(given, _schema(venture_crd())["properties"]["spec"])
    assert VentureSpec.model_validate(filled) == VentureSpec.model_validate(given)


def _with_defaults(value: Any, node: dict[str, Any]) -> Any:
    if node.get("type") != "object" or "properties" not in node:
        return value
    out = dict(value)
    for name, child in node["properties"].items():
        if name not in out and "default" in child:
            out[name] = child["default"]
        if name in out:
            out[name] = _with_defaults(out[name], child)
    return out


def test_a_shape_that_no_structural_schema_has_is_refused() -> None:
    class Alternatives(BaseModel):
        value: int | str

    with pytest.raises(ValueError, match=r"Alternatives\.value"):
        structural_schema(Alternatives)
