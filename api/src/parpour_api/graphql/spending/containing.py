"""Mutations of what one person may stop at once, each with what becomes of all that was in flight then."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Refusal, answered
from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.spends import SpendState
from parpour_api.graphql.spending.trusting import named, own_only
from parpour_api.graphql.spending.types import Member, Payee, Venture, venture_of
from parpour_api.graphql.types import session_of
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.containing import Cause, Contained, Containment, Ending
from parpour_treasury.spending.register import Register

ACTOR_MAX = 200

Reason = Annotated[str, strawberry.argument(description="1 to 1000 printable characters.")]
CallOff = Annotated[
    bool, strawberry.argument(description="Whether to call off what was not sent; owners and treasurers may.")
]


@strawberry.type(description="A spend that was in flight when something was stopped, and what becomes of it.")
class InFlight:
    """An ending."""

    spend: strawberry.ID
    before: SpendState = strawberry.field(description="Where it stood then.")  # type: ignore[valid-type]
    after: SpendState = strawberry.field(description="Where it stands now.")  # type: ignore[valid-type]
    fate: str = strawberry.field(description="What is still to come; empty if it has ended.")
    code: str | None = strawberry.field(description="Why it could not be called off.")

    @classmethod
    def of(cls, ending: Ending) -> InFlight:
        """The ending of a spend."""
        spend = strawberry.ID(str(ending.spend))
        return cls(spend=spend, before=ending.before, after=ending.after, fate=ending.fate, code=ending.code)


@strawberry.type(description="The venture's spending is stopped.")
class StoppedVenture:
    """Result of what stops a venture."""

    venture: Venture
    already: bool = strawberry.field(description="Whether it was stopped so before.")
    in_flight: list[InFlight]


@strawberry.type(description="Spending on a payee is stopped.")
class HeldPayee:
    """Result of holdPayee."""

    payee: Payee
    already: bool = strawberry.field(description="Whether it was stopped before.")
    in_flight: list[InFlight]


@strawberry.type(description="An account was revoked.")
class RevokedMember:
    """Result of revokeMember."""

    member: Member
    already: bool = strawberry.field(description="Whether it was revoked before.")
    in_flight: list[InFlight]


StopVentureResult = Annotated[StoppedVenture | Refusal, strawberry.union("StopVentureResult")]
HoldPayeeResult = Annotated[HeldPayee | Refusal, strawberry.union("HoldPayeeResult")]
RevokeMemberResult = Annotated[RevokedMember | Refusal, strawberry.union("RevokeMemberResult")]


def _containment(session: Session) -> Containment:
    service = session.service
    return Containment(service.governance, service.authority, Register(service.database), service.mint)


async def _contain(session: Session, cause: Cause, reason: str, *, call_off: bool) -> Contained:
    principal = session.principal
    done = await _containment(session).contain(
        principal.tenant, principal.actor, cause, reason=reason, call_off=call_off
    )
    await session.written()
    return done


@strawberry.type
class ContainmentMutation:
    """Root fields of what stops."""

    @strawberry.mutation(description="Freeze the venture at once: nothing is reserved, approved or sent.")
    async def freeze_venture(self, info: Info, reason: Reason, call_off: CallOff = False) -> StopVentureResult:
        """Freeze the venture."""
        session = session_of(info)

        async def work() -> StoppedVenture:
            done = await _contain(session, Cause(), reason, call_off=call_off)
            return StoppedVenture(venture=await venture_of(session), already=not done.stopped, in_flight=_endings(done))

        return await answered(session, "freezeVenture", work)

    @strawberry.mutation(description="Stop all spending of the venture at once. Machines may do so as well.")
    async def throw_kill_switch(self, info: Info, reason: Reason) -> StopVentureResult:
        """Throw the kill switch: nothing is looked at first. Who sees no spends of others is told of their own."""
        session = session_of(info)

        async def work() -> StoppedVenture:
            own = session.member is None or own_only(session.member)
            principal = session.principal
            done = await _containment(session).kill(principal.tenant, principal.actor, reason=reason, own=own)
            await session.written()
            return StoppedVenture(venture=await venture_of(session), already=not done.stopped, in_flight=_endings(done))

        return await answered(session, "throwKillSwitch", work)

    @strawberry.mutation(description="Stop spending on a payee at once.")
    async def hold_payee(
        self, info: Info, payee: strawberry.ID, reason: Reason, call_off: CallOff = False
    ) -> HoldPayeeResult:
        """Hold a payee."""
        session = session_of(info)

        async def work() -> HeldPayee:
            known: UUID = named(payee, "TREASURY_PAYEE_UNKNOWN", "payee")
            done = await _contain(session, Cause(payee=known), reason, call_off=call_off)
            row = await session.spending.payees.load(known)
            if row is None:
                raise AssertionError("what is held is there")
            return HeldPayee(payee=Payee.of(row), already=not done.stopped, in_flight=_endings(done))

        return await answered(session, "holdPayee", work)

    @strawberry.mutation(description="Revoke an account at once.")
    async def revoke_member(
        self, info: Info, actor: str, reason: Reason, call_off: CallOff = False
    ) -> RevokeMemberResult:
        """Revoke a member."""
        session = session_of(info)

        async def work() -> RevokedMember:
            if not (1 <= len(actor) <= ACTOR_MAX and actor.isprintable()):
                raise TreasuryError("TREASURY_MEMBER_UNKNOWN", field="actor")
            done = await _contain(session, Cause(actor=actor), reason, call_off=call_off)
            session.service.members.forget(session.principal.tenant)
            row = await session.spending.members.load(actor)
            if row is None:
                raise AssertionError("who is revoked is there")
            return RevokedMember(member=Member.of(row), already=not done.stopped, in_flight=_endings(done))

        return await answered(session, "revokeMember", work)


def _endings(done: Contained) -> list[InFlight]:
    return [InFlight.of(one) for one in done.endings]
