"""The `Venture` resource: a tenant with a namespace and a budget.

The UID of the resource is the tenant's identity in the database, so a Venture that is deleted and created again under
the same name is another tenant.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from parpour_contracts.conditions import Condition
from parpour_contracts.model import Wire
from parpour_contracts.money import Money

KIND = "Venture"
PLURAL = "ventures"
NAME_LIMIT = 63
"""Longest name of a Venture: it is the default name of its namespace, which is a DNS label."""
OWNER_LIMIT = 16

DnsLabel = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
Subject = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._@+-]+$")]


class Owner(Wire):
    """An account that owns the venture from its first day on."""

    subject: Subject
    """Subject of the account at the identity provider."""
    person: Subject
    """Stable identity of the human behind the account; two accounts of one person count once."""


class NamespacePolicy(StrEnum):
    """What becomes of the namespace when the Venture is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class VentureSpec(Wire):
    """Who owns the venture, where it works, and what it may spend."""

    display_name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name for people."""
    namespace: DnsLabel | None = None
    """Namespace that is made for the venture; the resource's own name when unset. It cannot change."""
    owners: Annotated[
        tuple[Owner, ...],
        Field(
            min_length=1,
            max_length=OWNER_LIMIT,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["subject"]},
        ),
    ]
    """Members of the first day, with the role owner: two people at least, since each change needs another's
    confirmation. Later changes are made in the treasury."""
    budget: Money
    """The most that the venture may spend in all. A later change is a change of rules: a second person confirms it."""
    deletion_policy: NamespacePolicy = NamespacePolicy.RETAIN
    """Whether the namespace outlives the resource. What the treasury has recorded always does."""


class ConditionType(StrEnum):
    """The conditions of a Venture."""

    NAMESPACE = "Namespace"
    TREASURY = "Treasury"
    READY = "Ready"


class VentureStatus(Wire):
    """What was observed. Written by the operator alone."""

    observed_generation: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    """The generation of the spec that this status answers."""
    namespace: Annotated[str, Field(max_length=63)] | None = None
    """Namespace of the venture."""
    namespace_uid: Annotated[str, Field(max_length=36)] | None = None
    """UID of that namespace; another namespace of the same name is none of the venture's."""
    tenant: Annotated[str, Field(max_length=36)] | None = None
    """Identity of the tenant in the database: the UID of this resource."""
    budget: Money | None = None
    """The budget that is in force."""
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=8,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    """Namespace, Treasury and Ready, each with reason and message."""


class Venture(Wire):
    """A Venture resource as the API server serves it; metadata is left as a mapping."""

    api_version: str = "parpour.dev/v1alpha1"
    kind: str = KIND
    metadata: dict[str, Any]
    spec: VentureSpec
    status: VentureStatus = VentureStatus()
