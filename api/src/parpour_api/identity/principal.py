"""Who a verified token speaks for. The tenant comes from here and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from parpour_api.errors import ApiError


class Role(StrEnum):
    """What somebody may be in a tenant."""

    OWNER = "owner"
    TREASURER = "treasurer"
    APPROVER = "approver"
    AGENT = "agent"
    AUDITOR = "auditor"


class Kind(StrEnum):
    """Whether a person or a program acts; the actor's name begins with it."""

    USER = "user"
    AGENT = "agent"


ROLES_OF_PEOPLE = frozenset({Role.OWNER, Role.APPROVER})
"""Roles that no program has: only people own and approve."""

OPERATOR = "agent:parpour-operator"
"""Who reserves and settles in a venture's name. It speaks to the internal API alone: no token of the issuer is its."""

SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|+=-]{0,149}", re.ASCII)
"""Visible characters of one line, none of them the colon that ends a kind."""

TIME_MAX = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True)
class ClaimNames:
    """Under what names the issuer writes the claims that no standard names."""

    tenant: str = "tenant"
    roles: str = "roles"
    kind: str = "actor_kind"
    person: str = "person"
    step_up: tuple[str, ...] = ()
    """Values of `acr` with which having authenticated counts where that must be recent; any, if none is named."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    tenant: UUID
    actor: str
    """user:SUBJECT or agent:SUBJECT."""
    roles: frozenset[Role]
    person: str | None
    """The human behind the account; two accounts of one human have the same. None for agents."""
    authenticated_at: datetime | None
    """When the person last proved to be one, for what needs that to be recent."""
    token_id: str | None
    expires_at: datetime

    @property
    def key(self) -> tuple[UUID, str]:
        """What tells it from every other."""
        return self.tenant, self.actor


def principal_of(claims: Mapping[str, Any], names: ClaimNames) -> Principal:
    """The principal of verified claims.

    Raises:
        ApiError: API_TOKEN_CLAIMS.
    """
    subject = _text(claims, "sub")
    if not SUBJECT.fullmatch(subject):
        raise _wrong("sub")
    try:
        kind = Kind(claims.get(names.kind, Kind.USER))
    except ValueError:
        raise _wrong(names.kind) from None
    if f"{kind}:{subject}" == OPERATOR:
        raise _wrong("sub")
    roles = _roles(claims.get(names.roles), kind, names)
    try:
        tenant = UUID(_text(claims, names.tenant))
    except ValueError:
        raise _wrong(names.tenant) from None
    if not tenant.int:
        # The platform's own contexts are of this one.
        raise _wrong(names.tenant)
    person = claims.get(names.person, subject) if kind is Kind.USER else None
    if person is not None and not (isinstance(person, str) and SUBJECT.fullmatch(person)):
        raise _wrong(names.person)
    token_id = claims.get("jti")
    if token_id is not None and not (isinstance(token_id, str) and 1 <= len(token_id) <= 200):
        raise _wrong("jti")
    return Principal(
        tenant=tenant,
        actor=f"{kind}:{subject}",
        roles=roles,
        person=person,
        authenticated_at=_authenticated(claims, names),
        token_id=token_id,
        expires_at=datetime.fromtimestamp(seconds(claims, "exp"), UTC),
    )


def _authenticated(claims: Mapping[str, Any], names: ClaimNames) -> datetime | None:
    if claims.get("auth_time") is None:
        return None
    at = datetime.fromtimestamp(seconds(claims, "auth_time"), UTC)
    return None if names.step_up and claims.get("acr") not in names.step_up else at


def seconds(claims: Mapping[str, Any], name: str) -> float:
    """A time of a claim, in seconds of the epoch; RFC 7519 allows parts of one.

    Raises:
        ApiError: API_TOKEN_CLAIMS.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= TIME_MAX:
        raise _wrong(name)
    return value


def _roles(value: Any, kind: Kind, names: ClaimNames) -> frozenset[Role]:
    if not isinstance(value, list) or len(value) > len(Role):
        raise _wrong(names.roles)
    try:
        roles = frozenset(Role(one) for one in value)
    except ValueError:
        raise _wrong(names.roles) from None
    if kind is Kind.AGENT and roles & ROLES_OF_PEOPLE:
        raise ApiError("API_TOKEN_CLAIMS", "a program neither owns nor approves")
    return roles


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _wrong(name)
    return value


def _wrong(name: str) -> ApiError:
    return ApiError("API_TOKEN_CLAIMS", f"claim {name!r} is not there or not of its form")
