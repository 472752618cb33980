"""Turns the pydantic models into CustomResourceDefinitions.

Kubernetes wants a *structural* schema: no `$ref`, no `anyOf` with null, a type on every node. Pydantic's JSON Schema
has all the facts in another shape, so this module rewrites it instead of keeping a second description.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml
from pydantic import BaseModel

from parpour_contracts import GROUP, VERSION, venture
from parpour_contracts.simulation import KIND, NAME_LIMIT, PLURAL, SimulationSpec, SimulationStatus

Schema = dict[str, Any]

_KEPT = frozenset(
    {
        "type",
        "description",
        "default",
        "enum",
        "format",
        "pattern",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "required",
        "nullable",
    }
)


def structural_schema(model: type[BaseModel]) -> Schema:
    """The model as a Kubernetes structural schema, with every reference expanded.

    Raises:
        ValueError: if the model uses a shape that a structural schema cannot express.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _rewrite(schema, schema.get("$defs", {}), where=model.__name__)


def _rewrite(node: Schema, definitions: dict[str, Schema], *, where: str) -> Schema:
    node = _without_reference(node, definitions)
    if node.get("x-quantity"):
        return _quantity(node)
    if "anyOf" in node:
        choices = [c for c in node["anyOf"] if c.get("type") != "null"]
        if len(choices) != 1:
            raise ValueError(f"{where}: a structural schema has no alternatives")
        outer = {k: v for k, v in node.items() if k not in ("anyOf", "default")}
        return _rewrite({**_without_reference(choices[0], definitions), **outer}, definitions, where=where)
    if "const" in node:
        node = {**node, "enum": [node["const"]], "type": node.get("type", "string")}
    if "type" not in node:
        raise ValueError(f"{where}: no type")
    out = {k: v for k, v in node.items() if k in _KEPT or k.startswith("x-kubernetes-")}
    if out.get("description"):
        out["description"] = " ".join(out["description"].split())
    if node["type"] == "object":
        _rewrite_object(node, out, definitions, where=where)
    elif node["type"] == "array":
        out["items"] = _rewrite(node["items"], definitions, where=f"{where}[]")
        out.setdefault("x-kubernetes-list-type", "atomic")
    elif node["type"] == "integer":
        out.setdefault("format", "int64" if node.get("maximum", 2**31) > 2**31 - 1 else "int32")
        if out.get("maximum", 0) >= 2**63 - 1:
            del out["maximum"]  # the server reads it as a float; the format bounds it already
    if out.get("default") is None:
        out.pop("default", None)
    return out


def _rewrite_object(node: Schema, out: Schema, definitions: dict[str, Schema], *, where: str) -> None:
    if "properties" in node:
        out["properties"] = {
            name: _rewrite(child, definitions, where=f"{where}.{name}") for name, child in node["properties"].items()
        }
        return
    patterns = node.get("patternProperties", {})
    values = next(iter(patterns.values()), None) or node.get("additionalProperties")
    if not isinstance(values, dict):
        raise ValueError(f"{where}: an object needs properties or typed values")
    for pattern in patterns:
        rule = {"rule": f"self.all(key, key.matches(r'{pattern}'))", "message": f"keys must match {pattern}"}
        out["x-kubernetes-validations"] = [rule]
    out["additionalProperties"] = _rewrite(values, definitions, where=f"{where}.*")


def _without_reference(node: Schema, definitions: dict[str, Schema]) -> Schema:
    if "$ref" not in node:
        return deepcopy(node)
    target = definitions[node["$ref"].rsplit("/", 1)[-1]]
    return {**deepcopy(target), **{k: deepcopy(v) for k, v in node.items() if k != "$ref"}}


def _quantity(node: Schema) -> Schema:
    return {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": node["pattern"],
        "x-kubernetes-int-or-string": True,
    }


MUTABLE_FIELDS = ("suspend", "ttlSecondsAfterFinished", "deletionPolicy")
"""What may still change once the workers have been created."""


def _immutability_rules(spec: Schema) -> list[Schema]:
    """One transition rule a field, so that a refusal names the field."""
    rules = []
    for name, field in spec["properties"].items():
        if name in MUTABLE_FIELDS:
            continue
        now, before = f"self.spec.{name}", f"oldSelf.spec.{name}"
        if name in spec["required"] or "default" in field:
            same = f"{now} == {before}"
        else:  # not `.?`: it hides the field's size, and the server then refuses the rule as too costly
            same = f"(has({now}) ? has({before}) && {now} == {before} : !has({before}))"
        rules.append(
            {
                "rule": f"!has(oldSelf.status) || !has(oldSelf.status.startTime) || {same}",
                "message": f"spec.{name} cannot change once the run has started; create another Simulation",
                "fieldPath": f".spec.{name}",
                "reason": "FieldValueForbidden",
            }
        )
    return rules


_SPEC_RULES: list[Schema] = [
    {
        "rule": "!has(self.shards) || self.shards <= self.ensemble.members",
        "message": "spec.shards cannot exceed spec.ensemble.members: a shard holds at least one member",
        "fieldPath": ".shards",
    },
    {
        "rule": "!has(self.parallelism) || !has(self.shards) || self.parallelism <= self.shards",
        "message": "spec.parallelism cannot exceed spec.shards",
        "fieldPath": ".parallelism",
    },
    {
        "rule": "!(has(self.queueName) && self.suspend)",
        "message": "spec.suspend belongs to the queue when spec.queueName is set; leave it false",
        "fieldPath": ".suspend",
    },
]

_COLUMNS: list[Schema] = [
    {"name": "Scenario", "type": "string", "jsonPath": ".status.scenario", "description": "Scenario that runs"},
    {"name": "Members", "type": "integer", "jsonPath": ".spec.ensemble.members", "description": "Worlds"},
    {"name": "Progress", "type": "string", "jsonPath": ".status.progress.summary", "description": "Ticks done"},
    {"name": "State", "type": "string", "jsonPath": ".status.state", "description": "Derived from the conditions"},
    {"name": "Backend", "type": "string", "jsonPath": ".status.backend", "priority": 1},
    {"name": "Shards", "type": "integer", "jsonPath": ".status.shards", "priority": 1},
    {"name": "Reserved", "type": "string", "jsonPath": ".status.cost.reserved", "priority": 1},
    {"name": "Charged", "type": "string", "jsonPath": ".status.cost.charged", "priority": 1},
    {"name": "Digest", "type": "string", "jsonPath": ".status.result.digest", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


def simulation_crd() -> Schema:
    """The CustomResourceDefinition of Simulation."""
    spec = structural_schema(SimulationSpec)
    spec["x-kubernetes-validations"] = _SPEC_RULES
    status = structural_schema(SimulationStatus)
    root: Schema = {
        "type": "object",
        "description": "An ensemble of simulated worlds, run to the same bits whatever the machines.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of this resource's schema."},
            "kind": {"type": "string", "description": "Simulation."},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": [
            {
                "rule": f"self.metadata.name.size() <= {NAME_LIMIT}",
                "message": f"metadata.name may have at most {NAME_LIMIT} characters: its pods' names are built on it",
                "fieldPath": ".metadata.name",
            },
            *_immutability_rules(spec),
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["sim"],
                "categories": ["parpour"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": root},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _COLUMNS,
                    "selectableFields": [
                        {"jsonPath": ".status.state"},
                        {"jsonPath": ".spec.backend"},
                        {"jsonPath": ".spec.queueName"},
                    ],
                }
            ],
        },
    }


_VENTURE_COLUMNS: list[Schema] = [
    {"name": "Namespace", "type": "string", "jsonPath": ".status.namespace", "description": "Namespace of the venture"},
    {"name": "Budget", "type": "string", "jsonPath": ".status.budget.amount", "description": "Budget in force"},
    {"name": "Currency", "type": "string", "jsonPath": ".status.budget.currency"},
    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
    {"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].reason", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]

# `namespace` is a reserved word of CEL, which the API server escapes.
_VENTURE_RULES: list[Schema] = [
    {
        "rule": "has(self.__namespace__) ? has(oldSelf.__namespace__) && self.__namespace__ == oldSelf.__namespace__"
        " : !has(oldSelf.__namespace__)",
        "message": "spec.namespace cannot change; create another Venture",
        "fieldPath": ".namespace",
        "reason": "FieldValueForbidden",
    },
    {
        "rule": "self.budget.currency == oldSelf.budget.currency",
        "message": "spec.budget.currency cannot change: the books of a venture keep their currency",
        "fieldPath": ".budget.currency",
        "reason": "FieldValueForbidden",
    },
    {
        "rule": "!has(self.__namespace__)"
        " || self.__namespace__ != 'default' && !self.__namespace__.startsWith('kube-')",
        "message": "spec.namespace may not be default or begin with kube-: those are the cluster's own",
        "fieldPath": ".namespace",
    },
]


def venture_crd() -> Schema:
    """The CustomResourceDefinition of Venture."""
    spec = structural_schema(venture.VentureSpec)
    spec["x-kubernetes-validations"] = _VENTURE_RULES
    root: Schema = {
        "type": "object",
        "description": "A tenant: a namespace, and a budget in the treasury.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of this resource's schema."},
            "kind": {"type": "string", "description": "Venture."},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": spec,
            "status": structural_schema(venture.VentureStatus),
        },
        "x-kubernetes-validations": [
            {
                "rule": f"self.metadata.name.size() <= {venture.NAME_LIMIT} && !self.metadata.name.contains('.')",
                "message": f"metadata.name is a DNS label of at most {venture.NAME_LIMIT} characters: a namespace is"
                " named after it",
                "fieldPath": ".metadata.name",
            },
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{venture.PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": venture.KIND,
                "listKind": f"{venture.KIND}List",
                "plural": venture.PLURAL,
                "singular": venture.KIND.lower(),
                "categories": ["parpour"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": root},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _VENTURE_COLUMNS,
                }
            ],
        },
    }


def to_yaml(document: Schema) -> str:
    """The document as YAML, stable in order and without aliases."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _data: object) -> bool:
            return True

    head = "# Generated from parpour_contracts by `make generate`; do not edit.\n"
    return head + yaml.dump(document, Dumper=Plain, sort_keys=False, width=110, allow_unicode=True)
