"""Binds Ventures to tenants: books, first members and rules, the budget, and the namespace.

Every step may be taken again: a binding whose answer was lost is sent again and answers the same. What people decide
later is theirs: a resource that asks for another budget changes nothing by itself.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import asyncpg

from parpour_api.identity.principal import OPERATOR
from parpour_api.internal.faults import Refused
from parpour_contracts.funding import Binding, Bound, Fault, FundingCode
from parpour_contracts.money import Money
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, is_transient
from parpour_treasury.books import standard_accounts
from parpour_treasury.calling import refusal
from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.currencies import format_amount, parse_amount
from parpour_treasury.ledger import Ledger
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import account_digest
from parpour_treasury.spending.changes import EnvelopeBody, MemberBody, PayeeBody
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import EnvelopeState, Register
from parpour_treasury.spending.rules import Allow, RuleBook

PLATFORM = UUID(int=0)
"""The tenant of contexts that act for the platform as a whole."""
SYSTEM = "system:internal-api"
BUDGET = "venture"
"""Code of the envelope that is the venture's budget."""
COMPUTE = "compute"
LIFETIME_SECONDS = 30 * 86_400
"""How long a reservation may stand, unless the venture's rules say less: a suspended run keeps its money so long."""


def budget_envelope(venture: UUID) -> UUID:
    """Identity of the envelope that is the venture's budget."""
    return uuid5(venture, "envelope/venture")


def platform_payee(venture: UUID) -> UUID:
    """Identity of the payee that stands for the platform."""
    return uuid5(venture, "payee/platform")


class Ventures:
    """Ventures of every cluster that this API serves."""

    def __init__(self, database: Database, mint: ContextMint) -> None:
        self._database = database
        self._mint = mint
        self._ledger = Ledger(database)
        self._governance = Governance(database)
        self._register = Register(database)

    def context(self, venture: UUID, actor: str = SYSTEM) -> str:
        """A context in a venture's name."""
        return self._mint.mint(tenant=venture, actor=actor)

    async def bind(self, binding: Binding) -> Bound:
        """Make the tenant if it is not there, and bind its namespace.

        Raises:
            Refused: FUNDING_NAMESPACE_CONFLICT or FUNDING_VENTURE_CONFLICT.
            TreasuryError: if the budget is no amount, or the owners are not two people.
        """
        if binding.uid == PLATFORM:
            raise Refused(FundingCode.MALFORMED, "uid: no venture has this one")
        cap = parse_amount(binding.budget.amount, binding.budget.currency, field="budget.amount")
        context = self.context(binding.uid)
        await self._ledger.create_tenant(context, name=binding.display_name)
        await self._bind_namespace(context, binding)
        for account in standard_accounts(binding.budget.currency):
            await self._ledger.open_account(context, account)
        await self._governance.bootstrap(
            context,
            members=_members(binding),
            rules=_rules(binding.budget.currency),
            envelopes=[
                EnvelopeBody(
                    envelope=budget_envelope(binding.uid), code=BUDGET, currency=binding.budget.currency, cap=cap
                )
            ],
            payees=[_platform(binding.uid)],
        )
        return await self._bound(binding.uid, asked=binding.budget)

    async def freeze(self, venture: UUID, *, reason: str) -> Bound:
        """Stop the venture's spending; nothing that is recorded goes.

        Raises:
            Refused: FUNDING_VENTURE_UNKNOWN.
        """
        bound = await self._bound(venture, asked=None)
        if not bound.frozen:
            await self._governance.throw_kill_switch(self.context(venture), reason=reason)
        return bound.model_copy(update={"frozen": True})

    async def budget(self, venture: UUID) -> EnvelopeState:
        """The budget in force.

        Raises:
            Refused: FUNDING_VENTURE_UNKNOWN.
        """
        found = await self._register.envelopes(self.context(venture))
        budget = next((one for one in found if one.envelope_id == budget_envelope(venture)), None)
        if budget is None:
            raise Refused(FundingCode.VENTURE_UNKNOWN, "no such venture")
        return budget

    async def of_namespace(self, namespace: UUID) -> UUID | None:
        """The venture that a namespace is bound to."""
        found: UUID | None = await self._call("select treasury.venture_of($1, $2)", self.context(PLATFORM), namespace)
        return found

    async def after(self, venture: UUID, *, most: int) -> list[UUID]:
        """Ventures by their identity, from one on."""
        query = "select treasury.ventures($1, $2, $3)"
        try:
            rows = await self._database.pool.fetch(query, self.context(PLATFORM), venture, most)
        except asyncpg.PostgresError as error:
            raise refusal(error) from None
        return [row[0] for row in rows]

    async def _bind_namespace(self, context: str, binding: Binding) -> None:
        query = "select treasury.bind_namespace($1, $2, $3)"
        clash = await self._call(query, context, binding.namespace_uid, binding.namespace)
        if clash == "namespace":
            raise Refused(FundingCode.NAMESPACE_CONFLICT, "the namespace is bound to another venture")
        if clash == "venture":
            raise Refused(FundingCode.VENTURE_CONFLICT, "the venture is bound to another namespace")

    async def _bound(self, venture: UUID, *, asked: Money | None) -> Bound:
        envelope = await self.budget(venture)
        stops = await self._register.stops(self.context(venture))
        budget = Money(amount=format_amount(envelope.cap, envelope.currency), currency=envelope.currency)
        return Bound(
            tenant=venture,
            budget=budget,
            frozen=stops.frozen_at is not None or stops.stopped_at is not None,
            pending=_pending(envelope, asked) if asked is not None else None,
        )

    async def _call(self, query: str, *arguments: Any) -> Any:
        try:
            return await self._database.pool.fetchval(query, *arguments)
        except asyncpg.PostgresError as error:
            if is_transient(error):
                raise TreasuryError("TREASURY_UNAVAILABLE") from error
            raise refusal(error) from None


def _pending(envelope: EnvelopeState, asked: Money) -> Fault | None:
    if asked.currency != envelope.currency:
        return Fault(code=FundingCode.CURRENCY_MISMATCH, message="the venture's books are in another currency")
    if parse_amount(asked.amount, asked.currency, field="budget.amount") == envelope.cap:
        return None
    message = "one owner proposes another budget in the treasury, and another person confirms it"
    return Fault(code=FundingCode.BUDGET_CHANGE_PENDING, message=message)


def _members(binding: Binding) -> list[MemberBody]:
    owners = [MemberBody(actor=f"user:{one.subject}", person=one.person, roles=("owner",)) for one in binding.owners]
    return [*owners, MemberBody(actor=OPERATOR, roles=("agent",))]


def _rules(currency: str) -> RuleBook:
    """The first rules: the operator may reserve compute within the budget, and nobody may do anything else.

    The envelope alone bounds one run, so that a later budget needs no other rules.
    """
    compute = Allow(
        name=COMPUTE,
        currency=currency,
        per_action=BALANCE_MAX,
        actors=(OPERATOR,),
        envelopes=(BUDGET,),
        categories=(COMPUTE,),
    )
    return RuleBook(allow=(compute,), lifetime_seconds=LIFETIME_SECONDS)


def _platform(venture: UUID) -> PayeeBody:
    return PayeeBody(
        payee=platform_payee(venture),
        name="The platform",
        category=COMPUTE,
        provider="internal",
        destination={},
        account=account_digest([("platform", COMPUTE)]).hex(),
    )
