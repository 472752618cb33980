"""Queries over a venture's spending.

The member's row says who may ask, beside the token's roles; what does not exist and what is another's are answered
alike.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.paging import After, Before, Connection, First, Last
from parpour_api.graphql.session import hold_id
from parpour_api.graphql.spending.inputs import SpendInput
from parpour_api.graphql.spending.listing import (
    BY_ACTOR,
    BY_CODE,
    BY_PAYEE,
    BY_PROPOSAL,
    BY_VERSION,
    Asked,
    by_request,
    listed,
)
from parpour_api.graphql.spending.spends import Spend, SpendState
from parpour_api.graphql.spending.trusting import member_who, own_only
from parpour_api.graphql.spending.types import (
    Change,
    ChangeState,
    Envelope,
    Explanation,
    Member,
    Payee,
    RuleBook,
    Venture,
    venture_of,
)
from parpour_api.graphql.types import session_of
from parpour_treasury.commands import check_time
from parpour_treasury.ledger import INSTANT
from parpour_treasury.reading import FIRST_ID, LAST_ID
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending import reading
from parpour_treasury.spending.reading import BEGINNING, END, Wanted
from parpour_treasury.spending.register import Spend as SpendRow

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

ACTOR_MAX = 200


@strawberry.type
class SpendingQuery:
    """Root fields of spending."""

    @strawberry.field(description="The venture; refused where it was never set up to spend.")
    async def venture(self, info: Info) -> Venture:
        """The venture."""
        session = session_of(info)
        member_who(session, "Query.venture")
        return await venture_of(session)

    @strawberry.field(description="An envelope.")
    async def envelope(self, info: Info, id: strawberry.ID) -> Envelope | None:
        """An envelope by its id."""
        session, known = session_of(info), hold_id(id)
        member_who(session, "Query.envelope")
        row = None if known is None else await session.spending.envelopes.load(known)
        return None if row is None else Envelope.of(row)

    @strawberry.field(description="The envelopes, by code.")
    async def envelopes(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Envelope]:
        """A page of envelopes."""
        session = session_of(info)
        member_who(session, "Query.envelopes")
        asked = Asked(first, last, after, before)
        return await listed(session, "envelopes", asked, BY_CODE, reading.page_of_envelopes, Envelope.of)

    @strawberry.field(description="The members, by name.")
    async def members(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Member]:
        """A page of members."""
        session = session_of(info)
        member_who(session, "Query.members")
        asked = Asked(first, last, after, before)
        return await listed(session, "members", asked, BY_ACTOR, reading.page_of_members, Member.of)

    @strawberry.field(description="Every version of the rules, the first one first.")
    async def rule_books(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[RuleBook]:
        """A page of rule books."""
        session = session_of(info)
        member_who(session, "Query.ruleBooks", person=True)
        asked = Asked(first, last, after, before)
        return await listed(session, "ruleBooks", asked, BY_VERSION, reading.page_of_rules, RuleBook.of)

    @strawberry.field(description="A payee.")
    async def payee(self, info: Info, id: strawberry.ID) -> Payee | None:
        """A payee by its id."""
        session, known = session_of(info), hold_id(id)
        member_who(session, "Query.payee")
        row = None if known is None else await session.spending.payees.load(known)
        return None if row is None else Payee.of(row)

    @strawberry.field(description="The payees, by id.")
    async def payees(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Payee]:
        """A page of payees."""
        session = session_of(info)
        member_who(session, "Query.payees")
        asked = Asked(first, last, after, before)
        return await listed(session, "payees", asked, BY_PAYEE, reading.page_of_payees, Payee.of)

    @strawberry.field(description="A spend; an agent sees its own.")
    async def spend(self, info: Info, id: strawberry.ID) -> Spend | None:
        """A spend by its id."""
        session, known = session_of(info), hold_id(id)
        member = member_who(session, "Query.spend")
        row = None if known is None else await session.spending.spends.load(known)
        if row is None or (own_only(member) and row.actor != member.actor):
            return None
        return Spend.of(row)

    @strawberry.field(description="The spends, by the time they were asked for; an agent sees its own.")
    async def spends(
        self,
        info: Info,
        state: SpendState | None = None,  # type: ignore[valid-type]
        payee: strawberry.ID | None = None,
        envelope: strawberry.ID | None = None,
        actor: Annotated[str | None, strawberry.argument(description="Only what this account asked for.")] = None,
        since: Annotated[
            datetime | None, strawberry.argument(description="Only what was asked for from then on.")
        ] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Only what was asked for before.")] = None,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> Connection[Spend]:
        """A page of spends."""
        session = session_of(info)
        member = member_who(session, "Query.spends")
        wanted = Wanted(
            state=state,
            payee=None if payee is None else hold_id(payee) or NOTHING,
            envelope=None if envelope is None else hold_id(envelope) or NOTHING,
            actor=_actor(actor),
        )
        check_time(since, "since")
        check_time(until, "until")
        scope = f"spends {wanted.state} {wanted.payee} {wanted.envelope} {wanted.actor} {since} {until}"
        if own_only(member):
            others = wanted.actor not in (None, member.actor)
            wanted = replace(wanted, actor=member.actor, payee=NOTHING if others else wanted.payee)
        order = by_request(
            BEGINNING if since is None else (since - INSTANT, LAST_ID), END if until is None else (until, FIRST_ID)
        )

        async def read(connection: type_of_connection, **page: Any) -> list[SpendRow]:
            rows = await reading.page_of_spends(connection, **page, wanted=wanted)
            for row in rows:
                session.spending.spends.prime(row.spend_id, row)
            return rows

        return await listed(session, scope, Asked(first, last, after, before), order, read, Spend.of)

    @strawberry.field(
        description="The spends that wait for people, neither asked for nor decided by the caller so far."
    )
    async def pending_approvals(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Spend]:
        """A page of what waits for the caller."""
        session = session_of(info)
        member = member_who(session, "Query.pendingApprovals", person=True)
        asked = Asked(first, last, after, before)

        async def read(connection: type_of_connection, **page: Any) -> list[SpendRow]:
            return await reading.page_of_pending(connection, member, **page)

        return await listed(session, "pendingApprovals", asked, by_request(), read, Spend.of)

    @strawberry.field(description="A change.")
    async def change(self, info: Info, id: strawberry.ID) -> Change | None:
        """A change by its id."""
        session, known = session_of(info), hold_id(id)
        member_who(session, "Query.change", person=True)
        if known is None:
            return None
        found = await session.reader.read(lambda connection: reading.changes_of(connection, [known]))
        return Change.of(found[known]) if known in found else None

    @strawberry.field(description="The changes, by the time they were proposed.")
    async def changes(
        self,
        info: Info,
        state: ChangeState | None = None,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> Connection[Change]:
        """A page of changes."""
        session = session_of(info)
        member_who(session, "Query.changes", person=True)
        wanted = None if state is None else state.value
        asked = Asked(first, last, after, before)
        return await listed(
            session, f"changes {wanted}", asked, BY_PROPOSAL, reading.page_of_changes, Change.of, state=wanted
        )

    @strawberry.field(description="What would become of a request now. Nothing is kept, and nothing is counted.")
    async def explain(self, info: Info, spend: SpendInput) -> Explanation:
        """A dry run."""
        session = session_of(info)
        member_who(session, "Query.explain")
        ask = spend.parsed("explain")
        authority, principal = session.service.authority, session.principal
        told = await session.reader.read(
            lambda connection: authority.explain(principal.tenant, principal.actor, ask, connection=connection)
        )
        return Explanation.of(told)


NOTHING = UUID(int=0)
"""Names no payee and no envelope: ids of things are made at random or from names."""


def _actor(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text) <= ACTOR_MAX and text.isprintable()):
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="actor")
    return text
