"""The members of a venture behind its principals: what the venture itself says of an account, whatever its token says.

A member is asked for again after a few seconds, so that one query serves many requests and a revocation counts at once
in the process that carried it out and soon in every other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from parpour_api.identity.principal import Principal
from parpour_api.identity.tokens import Revocations
from parpour_controlplane.context import ContextMint
from parpour_treasury.spending.facts import Member
from parpour_treasury.spending.register import Register

FRESH_SECONDS = 5.0
"""How long a member is taken to be as it was read."""

KEPT_MAX = 10_000
"""Members that are remembered."""


class Members:
    """Knows the members, and so who was revoked."""

    def __init__(
        self, register: Register, mint: ContextMint, *, listed: Revocations, clock: Callable[[], float]
    ) -> None:
        self._register = register
        self._mint = mint
        self._listed = listed
        """Whom the installation revokes itself."""
        self._clock = clock
        """Monotonic, in seconds."""
        self._known: OrderedDict[tuple[UUID, str], tuple[float, Member | None]] = OrderedDict()

    async def revoked(self, principal: Principal) -> bool:
        """Whether the principal's token or account was revoked.

        Whoever holds a connection open asks again from time to time.
        """
        if await self._listed.revoked(principal):
            return True
        member = await self.member(principal)
        return member is not None and member.revoked

    async def member(self, principal: Principal) -> Member | None:
        """The member that the principal is; None if the venture has no such account."""
        now = self._clock()
        known = self._known.get(principal.key)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]
        context = self._mint.mint(tenant=principal.tenant, actor=principal.actor)
        member = await self._register.membership(context)
        self._known[principal.key] = (now, member)
        self._known.move_to_end(principal.key)
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        return member

    def forget(self, tenant: UUID) -> None:
        """Ask anew for everyone of a venture: its members have changed."""
        for key in [one for one in self._known if one[0] == tenant]:
            del self._known[key]
