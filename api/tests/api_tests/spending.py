"""A venture that spends, for tests over the API: its people and agents with tokens, and what they usually ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from parpour_treasury.spending.testing import Venture, new_venture

from .building import Api, Caller

ROLES = {
    "ann": ["owner"],
    "bob": ["treasurer", "approver"],
    "cat": ["approver"],
    "cat-phone": ["approver"],
    "dan": ["auditor"],
    "buyer": ["agent"],
    "other": ["agent"],
}
"""Token roles of the members that every venture of the tests has."""

REQUEST = """fragment S on Spend { id state code digest amount { amount currency minor } actor purpose }
    mutation($key: String!, $spend: SpendInput!) { requestSpend(key: $key, spend: $spend) { __typename
    ... on RequestedSpend { replayed spend { ...S } } ... on RefusedSpend { code codes replayed spend { ...S } }
    ... on Refusal { code field message } } }"""
APPROVE = """mutation($key: String!, $spend: ID!, $digest: String!) {
    approveSpend(key: $key, spend: $spend, digest: $digest) { __typename
    ... on ApprovedSpend { replayed spend { id state } } ... on RefusedSpend { code codes spend { id state } }
    ... on Refusal { code field } } }"""


@dataclass
class Spending:
    """A venture behind a running API."""

    api: Api
    venture: Venture

    def caller(self, name: str, **claims: Any) -> Caller:
        """One of its members."""
        kind = "agent" if ROLES[name] == ["agent"] else None
        person = "cat" if name == "cat-phone" else None
        return self.api.caller(
            self.venture.tenant,
            **{"sub": name, "roles": ROLES[name], "actor_kind": kind, "person": person, **claims},
        )

    def spend(self, amount: str, **more: Any) -> dict[str, Any]:
        """A SpendInput, of the shop and the ads envelope where nothing else is said."""
        return {
            "envelope": str(self.venture.ads),
            "payee": str(self.venture.shop),
            "amount": amount,
            "currency": "USD",
            "purpose": "banners",
            **more,
        }

    async def request(self, amount: str, *, by: str = "buyer", key: str | None = None, **more: Any) -> Any:
        """Ask to spend; the result."""
        variables = {"key": key or str(uuid4()), "spend": self.spend(amount, **more)}
        return (await self.caller(by).ask(REQUEST, variables))["requestSpend"]

    async def approve(self, spend: Mapping[str, Any], *, by: str, key: str | None = None, **claims: Any) -> Any:
        """Approve what stands; the result."""
        variables = {"key": key or str(uuid4()), "spend": spend["id"], "digest": spend["digest"]}
        return (await self.caller(by, **claims).ask(APPROVE, variables))["approveSpend"]

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, by: str = "buyer", key: str | None = None
    ) -> httpx.Response:
        """A POST of the plain HTTP operations."""
        headers = {**self.caller(by).headers, "idempotency-key": key or str(uuid4())}
        return await self.api.client.post(path, json=body, headers=headers)


async def spending(api: Api, **fields: Any) -> Spending:
    """A new venture behind a running API."""
    return Spending(api, await new_venture(await api.database(), api.place, **fields))


ON_REFUSAL = "__typename ... on Refusal { code message field }"
ON_CHANGE = "change { id digest kind state body }"


async def did(caller: Caller, call: str, made: str = "", **variables: Any) -> Any:
    """The result of one mutation, written with variables of the types that their values have."""
    types = {str: "String!", int: "Int!", list: "[PairInput!]!"}
    declared = ", ".join(f"${name}: {types[type(value)]}" for name, value in variables.items())
    head = f"mutation({declared})" if declared else "mutation"
    data = await caller.ask(f"{head} {{ r: {call} {{ {ON_REFUSAL} {made} }} }}", variables)
    return data["r"]


async def proposed(caller: Caller, call: str, **variables: Any) -> Any:
    """The change that a proposal made, or the refusal."""
    told = await did(caller, call, f"... on ProposedChange {{ {ON_CHANGE} }}", **variables)
    return told.get("change", told)


async def confirmed(caller: Caller, change: Mapping[str, Any], *, digest: str | None = None) -> Any:
    """What confirming a change came to."""
    call = f'confirmChange(change: "{change["id"]}", digest: "{digest or change["digest"]}")'
    return await did(caller, call, f"... on ConfirmedChange {{ {ON_CHANGE} }}")
