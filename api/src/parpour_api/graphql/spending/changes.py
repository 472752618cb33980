"""Mutations of what decides about money: proposals, and their confirmation by another person.

A proposal's id follows from its key, so the same proposal again is the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Key, Refusal, answered
from parpour_api.graphql.mutations import limits_of
from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.asking import stepped_up
from parpour_api.graphql.spending.inputs import (
    PairInput,
    ReleaseKind,
    ResolvedAs,
    body_of,
    cap_of,
    digest_of,
    new_or_named,
    pairs,
    zoned,
)
from parpour_api.graphql.spending.trusting import named
from parpour_api.graphql.spending.types import Change, PayeeProvider
from parpour_api.graphql.types import Role, session_of
from parpour_treasury.commands import check_text
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending import reading
from parpour_treasury.spending.asks import account_digest
from parpour_treasury.spending.changes import (
    Body,
    EnvelopeBody,
    LimitsBody,
    MemberBody,
    PayeeBody,
    ReleaseBody,
    ResolutionBody,
    RulesBody,
)
from parpour_treasury.spending.rules import read_rules

Digest = Annotated[str, strawberry.argument(description="Of the change that the person was shown, in hexadecimal.")]


@strawberry.type(description="A change was proposed; nothing changes before another person confirms it.")
class ProposedChange:
    """Result of what proposes."""

    change: Change


@strawberry.type(description="A change was confirmed and took effect.")
class ConfirmedChange:
    """Result of confirmChange."""

    change: Change


@strawberry.type(description="A change was declined or withdrawn.")
class DeclinedChange:
    """Result of declineChange."""

    change: Change


ProposeResult = Annotated[ProposedChange | Refusal, strawberry.union("ProposeResult")]
ConfirmChangeResult = Annotated[ConfirmedChange | Refusal, strawberry.union("ConfirmChangeResult")]
DeclineChangeResult = Annotated[DeclinedChange | Refusal, strawberry.union("DeclineChangeResult")]


async def _change(session: Session, change: UUID) -> Change:
    await session.written()
    found = await session.reader.read(lambda connection: reading.changes_of(connection, [change]))
    return Change.of(found[change])


async def _propose(session: Session, key: str, body: Body) -> ProposedChange:
    change = from_key(session, "change", key)
    await session.service.governance.propose(session.context(), change, body)
    return ProposedChange(change=await _change(session, change))


async def _proposed(session: Session, field: str, key: str, make: Callable[[], Body]) -> ProposedChange | Refusal:
    """A proposal of a body."""

    async def work() -> ProposedChange:
        check_text(key, "")
        return await _propose(session, key, make())

    return await answered(session, field, work)


def from_key(session: Session, kind: str, key: str) -> UUID:
    """The id of a thing that a caller makes under a key."""
    return uuid5(session.principal.tenant, f"{kind} {key}")


def _known_change(text: str) -> UUID:
    return named(text, "TREASURY_CHANGE_UNKNOWN", "change")


def _known_payee(text: str) -> UUID:
    return named(text, "TREASURY_PAYEE_UNKNOWN", "payee")


@strawberry.type
class ChangeMutation:
    """Root fields of what decides about money."""

    @strawberry.mutation(description="Propose an account: new, with other roles, or taken back after it was revoked.")
    async def propose_member(
        self,
        info: Info,
        key: Key,
        actor: Annotated[str, strawberry.argument(description="user:SUBJECT or agent:SUBJECT, as tokens say.")],
        roles: list[Role],  # type: ignore[valid-type]
        person: Annotated[
            str | None,
            strawberry.argument(description="The human behind it; of an agent, who answers for it."),
        ] = None,
    ) -> ProposeResult:
        """Propose a member."""
        names = tuple(dict.fromkeys(str(one) for one in roles))
        return await _proposed(
            session_of(info),
            "proposeMember",
            key,
            lambda: body_of(MemberBody, actor=actor, person=person, roles=names),
        )

    @strawberry.mutation(description="Propose an envelope: new, or with another cap or other times.")
    async def propose_envelope(
        self,
        info: Info,
        key: Key,
        code: str,
        currency: str,
        cap: Annotated[str, strawberry.argument(description="Decimal text.")],
        envelope: Annotated[
            strawberry.ID | None, strawberry.argument(description="Which; a new one, if not given.")
        ] = None,
        parent: Annotated[
            strawberry.ID | None, strawberry.argument(description="The envelope around it; none of a budget.")
        ] = None,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
    ) -> ProposeResult:
        """Propose an envelope."""
        session = session_of(info)
        return await _proposed(
            session,
            "proposeEnvelope",
            key,
            lambda: body_of(
                EnvelopeBody,
                envelope=new_or_named(envelope, from_key(session, "envelope", key), "envelope"),
                parent=None if parent is None else named(parent, "TREASURY_ENVELOPE_UNKNOWN", "parent"),
                code=code,
                currency=currency,
                cap=cap_of(cap, currency),
                opens_at=zoned(opens_at, "opensAt"),
                closes_at=zoned(closes_at, "closesAt"),
            ),
        )

    @strawberry.mutation(
        description="Propose a payee: new, with another name or account, or retired. New and changed ones cool off."
    )
    async def propose_payee(
        self,
        info: Info,
        key: Key,
        name: str,
        category: str,
        provider: PayeeProvider,
        destination: Annotated[
            list[PairInput],
            strawberry.argument(description="What the provider calls the account, as id, and its masked number."),
        ],
        account: Annotated[
            list[PairInput],
            strawberry.argument(description="The account's own data. Its digest alone is kept."),
        ],
        payee: Annotated[
            strawberry.ID | None, strawberry.argument(description="Which; a new one, if not given.")
        ] = None,
        retired: bool = False,
    ) -> ProposeResult:
        """Propose a payee."""
        session = session_of(info)
        return await _proposed(
            session,
            "proposePayee",
            key,
            lambda: body_of(
                PayeeBody,
                payee=new_or_named(payee, from_key(session, "payee", key), "payee"),
                name=name,
                category=category,
                provider=provider.value,
                destination=pairs(destination, "destination"),
                account=account_digest(list(pairs(account, "account").items())).hex(),
                retired=retired,
            ),
        )

    @strawberry.mutation(description="Propose the next version of the rules.")
    async def propose_rules(
        self,
        info: Info,
        key: Key,
        version: Annotated[int, strawberry.argument(description="One above the version in force.")],
        document: Annotated[str, strawberry.argument(description="The whole rule book, as JSON.")],
    ) -> ProposeResult:
        """Propose rules."""
        return await _proposed(
            session_of(info),
            "proposeRules",
            key,
            lambda: body_of(RulesBody, version=version, rules=read_rules(document)),
        )

    @strawberry.mutation(description="Propose to let go what one person has stopped.")
    async def propose_release(
        self, info: Info, key: Key, what: ReleaseKind, payee: strawberry.ID | None = None
    ) -> ProposeResult:
        """Propose a release."""
        return await _proposed(
            session_of(info),
            "proposeRelease",
            key,
            lambda: body_of(ReleaseBody, what=what.value, payee=None if payee is None else _known_payee(payee)),
        )

    @strawberry.mutation(description="Propose what became of a payment of which the provider tells nothing.")
    async def propose_resolution(
        self,
        info: Info,
        key: Key,
        spend: strawberry.ID,
        outcome: ResolvedAs,
        evidence: Annotated[list[PairInput], strawberry.argument(description="What people found out, and where.")],
        provider_reference: str | None = None,
    ) -> ProposeResult:
        """Propose a resolution."""

        def body() -> ResolutionBody:
            found = pairs(evidence, "evidence")
            if not found:
                raise TreasuryError("TREASURY_CHANGE_MALFORMED", field="evidence", detail="say what was found out")
            return body_of(
                ResolutionBody,
                spend=named(spend, "TREASURY_SPEND_UNKNOWN", "spend"),
                outcome=outcome.value,
                provider_reference=provider_reference,
                evidence=found,
            )

        return await _proposed(session_of(info), "proposeResolution", key, body)

    @strawberry.mutation(
        description="Propose other limits of an account that spends take from; a limit that is left out is taken away."
    )
    async def propose_limits(
        self,
        info: Info,
        key: Key,
        account: strawberry.ID,
        minimum: Annotated[
            str | None, strawberry.argument(description="Decimal text, in the account's own direction.")
        ] = None,
        maximum: Annotated[
            str | None, strawberry.argument(description="Decimal text, in the account's own direction.")
        ] = None,
    ) -> ProposeResult:
        """Propose limits."""
        session = session_of(info)

        async def work() -> ProposedChange:
            check_text(key, "")
            known, least, greatest = await limits_of(session, account, minimum, maximum)
            return await _propose(session, key, body_of(LimitsBody, account=known, minimum=least, maximum=greatest))

        return await answered(session, "proposeLimits", work)

    @strawberry.mutation(
        description="Confirm a change, as a person who has just authenticated and is not the one who proposed it."
    )
    async def confirm_change(self, info: Info, change: strawberry.ID, digest: Digest) -> ConfirmChangeResult:
        """Confirm a change."""
        session = session_of(info)

        async def work() -> ConfirmedChange:
            known = _known_change(change)
            await session.service.governance.confirm(
                session.context(), known, digest=digest_of(digest), authenticated_at=stepped_up(session)
            )
            session.service.members.forget(session.principal.tenant)
            return ConfirmedChange(change=await _change(session, known))

        return await answered(session, "confirmChange", work)

    @strawberry.mutation(description="Decline a change; who proposed it withdraws it so.")
    async def decline_change(self, info: Info, change: strawberry.ID, digest: Digest) -> DeclineChangeResult:
        """Decline a change."""
        session = session_of(info)

        async def work() -> DeclinedChange:
            known = _known_change(change)
            await session.service.governance.decline(session.context(), known, digest=digest_of(digest))
            return DeclinedChange(change=await _change(session, known))

        return await answered(session, "declineChange", work)
