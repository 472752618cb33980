"""Containment: one command that stops a venture, an account or a payee, and says what becomes of all in flight.

Stopping comes first, so nothing joins what is looked at afterwards. What was not sent can be called off; what the
payment worker has claimed cannot, because the money may be on its way: it comes to the end that its fate names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from parpour_controlplane.context import ContextMint
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import Cancel
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.facts import INTERNAL
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import Register, Spend
from parpour_treasury.spending.states import State

IN_FLIGHT = (State.AWAITING_APPROVAL, State.RESERVED, State.SUBMITTING, State.UNKNOWN, State.SENT)
"""States of spends that have not come to an end, from the request on."""

TOGETHER = 100
"""Spends that are called off in one batch."""

FATES: dict[State, str] = {
    State.AWAITING_APPROVAL: "nobody can approve it while it is stopped; it expires",
    State.RESERVED: "it is not sent while it is stopped; it expires, and the money is free again",
    State.SUBMITTING: "if nothing was sent it fails, and the money is free again; otherwise the provider is asked",
    State.UNKNOWN: "the provider is asked until it tells; then two people decide, with the evidence",
    State.SENT: "it cannot be called back; the provider is asked until it has arrived or come back",
}
"""What becomes of a spend that is in flight, as long as it stays stopped."""

METERED = "metered work goes on and is charged by what it uses; it is not renewed"


@dataclass(frozen=True, slots=True)
class Cause:
    """Whom an incident is about: an account, a payee, or the whole venture if neither is named."""

    actor: str | None = None
    payee: UUID | None = None

    def __post_init__(self) -> None:
        if self.actor is not None and self.payee is not None:
            raise ValueError("an incident is about an account or a payee, not both")

    def concerns(self, *, maker: str, payee: UUID | None, approvers: Collection[str]) -> bool:
        """Whether it is about a spend: that the account asked for or approved, or on the payee."""
        return (self.actor is None or self.actor == maker or self.actor in approvers) and self.payee in (None, payee)

    def __str__(self) -> str:
        return self.actor or (f"payee/{self.payee}" if self.payee else "venture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of one spend that was in flight."""

    spend: UUID
    before: State
    """Where it stood after everything was stopped."""
    after: State
    """Where it stands now."""
    fate: str
    """What is still to come, in a person's words; empty if it has ended."""
    code: str | None = None
    """Why it could not be called off."""


@dataclass(frozen=True, slots=True)
class Contained:
    """What containing something did."""

    stopped: bool
    """False if it was stopped before."""
    endings: tuple[Ending, ...]


class Containment:
    """Stops spending and ends what is in flight, for every tenant of one database."""

    def __init__(self, governance: Governance, authority: Authority, register: Register, mint: ContextMint) -> None:
        self._governance = governance
        self._authority = authority
        self._register = register
        self._mint = mint

    async def contain(self, tenant: UUID, actor: str, cause: Cause, *, reason: str, call_off: bool) -> Contained:
        """Freeze the venture, revoke the account or hold the payee; then call off what was not sent, if wanted.

        `actor` is the person who acts, authenticated by the caller. Calling off takes an owner or a treasurer; without
        it, what was not sent is sent after all if it is let go before it expires. What could not be called off says
        why, and the same again changes nothing that has ended.

        Raises:
            TreasuryError: as `Governance.freeze`, `revoke` and `hold_payee`.
        """
        stopped = await self._stop(self._mint.mint(tenant=tenant, actor=actor), cause, reason)
        context = self._mint.mint(tenant=tenant, actor=actor)
        flying = await self._register.in_flight(context, actor=cause.actor, payee=cause.payee)
        if not call_off:
            return Contained(stopped, tuple(left(one) for one in flying))
        endings: list[Ending] = []
        for place in range(0, len(flying), TOGETHER):
            part = flying[place : place + TOGETHER]
            endings += await asyncio.gather(*(self._end(tenant, actor, one) for one in part))
        return Contained(stopped, tuple(endings))

    async def kill(self, tenant: UUID, actor: str, *, reason: str, own: bool) -> Contained:
        """Throw the kill switch, and then say what becomes of what is in flight; nothing is called off.

        Whoever can reach it may throw it, so `own` tells whoever may not see the spends of others of theirs alone.

        Raises:
            TreasuryError: as `Governance.throw_kill_switch`.
        """
        context = self._mint.mint(tenant=tenant, actor=actor)
        stopped = await self._governance.throw_kill_switch(context, reason=reason)
        context = self._mint.mint(tenant=tenant, actor=actor)
        flying = await self._register.in_flight(context, actor=actor if own else None)
        return Contained(stopped, tuple(left(one) for one in flying))

    async def _stop(self, context: str, cause: Cause, reason: str) -> bool:
        if cause.actor is not None:
            return await self._governance.revoke(context, cause.actor, reason=reason)
        if cause.payee is not None:
            return await self._governance.hold_payee(context, cause.payee, reason=reason)
        return await self._governance.freeze(context, reason=reason)

    async def _end(self, tenant: UUID, actor: str, spend: Spend) -> Ending:
        if spend.provider == INTERNAL or spend.state not in (State.AWAITING_APPROVAL, State.RESERVED):
            return left(spend)
        ask = Cancel(key=f"contain/{uuid4()}", spend=spend.spend_id)
        try:
            outcome = await self._authority.submit(tenant, actor, ask)
        except TreasuryError as error:
            # It is stopped all the same, and whoever stopped it is told so; the same again calls off the rest.
            return replace(left(spend), code=error.code)
        after = spend.state if outcome.state is None else State(outcome.state)
        code = outcome.codes[0] if outcome.codes else None
        return Ending(
            spend=spend.spend_id, before=spend.state, after=after, fate=fate_of(after, spend.provider), code=code
        )


def left(spend: Spend) -> Ending:
    """A spend that nobody called off."""
    fate = fate_of(spend.state, spend.provider)
    return Ending(spend=spend.spend_id, before=spend.state, after=spend.state, fate=fate)


def fate_of(state: State, provider: str | None) -> str:
    """What becomes of a spend in a state, as long as it stays stopped; nothing, if it has ended."""
    if provider == INTERNAL and state is State.RESERVED:
        return METERED
    return FATES.get(state, "")
