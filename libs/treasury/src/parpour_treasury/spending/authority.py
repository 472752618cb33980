"""The spending authority: asks of many callers, decided together, one transaction a batch and a tenant.

The shell around the pure decision. Facts are read after the ledger's lock was taken and the decisions are recorded by
the same transaction, so nothing can change in between, whichever process decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from parpour_controlplane.context import ContextMint, checked_actor
from parpour_controlplane.database import Database
from parpour_treasury.batcher import WAITING_MAX, GroupCommit
from parpour_treasury.batches import encode
from parpour_treasury.calling import refusals
from parpour_treasury.spending.asks import Ask, Asking, RequestSpend, SpendOutcome
from parpour_treasury.spending.deciding import Asked, decide
from parpour_treasury.spending.explaining import Explanation, explain
from parpour_treasury.spending.gathering import Gathered
from parpour_treasury.spending.planning import asked_things, make_plan
from parpour_treasury.spending.reading import spends_of
from parpour_treasury.spending.rules import RuleBook, read_rules

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

BATCH_MAX = 300
"""Asks of one batch: about 0.15 s of the ledger's head."""

_FACTS = "select treasury.spending_facts($1, $2, $3, $4, $5, $6, $7, $8)"
_FACTS_NOW = "select treasury.facts_now($1, $2, $3, $4, $5, $6)"
_RECORD = f"select treasury.record_decisions({', '.join(f'${place}' for place in range(1, 20))})"
_NO_LEDGER: tuple[list[Any], ...] = tuple([] for _ in range(15))


class RuleBooks:
    """Rule books that were read already, the last one of each tenant."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[int | None, RuleBook]] = {}

    def known(self, tenant: UUID) -> tuple[int | None, RuleBook]:
        """The one that is known, and its version; None, and an empty one, if none is."""
        return self._known.get(tenant, (None, RuleBook()))

    def take(self, tenant: UUID, told: dict[str, Any], known: RuleBook) -> RuleBook:
        """The rule book in force, from facts that hold it if it is another one than was known when they were asked."""
        if told["rules"] is None:
            return known
        rules = read_rules(json.dumps(told["rules"]))
        self._known[tenant] = (told["version"], rules)
        return rules


class Authority:
    """Decides who may spend what, for every tenant of one database."""

    def __init__(
        self,
        database: Database,
        mint: ContextMint,
        *,
        new_id: Callable[[], UUID] = uuid4,
        batch_max: int = BATCH_MAX,
        waiting_max: int = WAITING_MAX,
        tells: bool = False,
    ) -> None:
        self._database = database
        self._mint = mint
        self._new_id = new_id
        self._tells = tells
        """Whether outcomes hold their spends: one more query a batch, where each caller would ask for its own."""
        self._books = RuleBooks()
        self._group: GroupCommit[Asking, SpendOutcome] = GroupCommit(
            self._execute, batch_max=batch_max, waiting_max=waiting_max
        )

    async def submit(self, tenant: UUID, actor: str, ask: Ask) -> SpendOutcome:
        """Decide an ask of `actor`, whom the caller has authenticated as one of `tenant`.

        Raises:
            TreasuryError: TREASURY_RULES_UNKNOWN, if the venture was never set up; TREASURY_OVERLOADED;
                TREASURY_UNAVAILABLE, when it may or may not have been carried out, and the same key will tell;
                TREASURY_LEDGER_UNKNOWN; TREASURY_LIMIT_EXCEEDED, if an account's own limit forbids it.
            ValueError: if `actor` is none.
        """
        return await self._group.ask(tenant, Asking.of(ask, actor=checked_actor(actor)))

    async def drain(self) -> None:
        """Wait until nothing is in flight."""
        await self._group.drain()

    async def explain(
        self, tenant: UUID, actor: str, ask: RequestSpend, *, connection: type_of_connection | None = None
    ) -> Explanation:
        """What would become of a request now. Nothing is kept, and nothing is counted.

        On a connection that is given it is asked in the reader's transaction there.

        Raises:
            TreasuryError: TREASURY_RULES_UNKNOWN.
        """
        context = self._mint.mint(tenant=tenant, actor=actor)
        version, known = self._books.known(tenant)
        place = connection or self._database.pool
        with refusals():
            text = await place.fetchval(_FACTS_NOW, context, [], [ask.payee], [ask.envelope], [ask.currency], version)
        told = json.loads(text)
        rules = self._books.take(tenant, told, known)
        facts = Gathered(told).facts(maker=actor, envelope=ask.envelope, payee=ask.payee, currency=ask.currency)
        return explain(decide(rules, facts, Asked(ask.currency, ask.amount)), facts)

    async def _execute(self, tenant: UUID, asks: Sequence[Asking]) -> list[SpendOutcome]:
        actors = [one.actor for one in asks]
        context = self._mint.mint_several(tenant=tenant, actors=actors)
        things = asked_things(asks)
        with refusals():
            async with self._database.pool.acquire() as connection, connection.transaction():
                keys = [one.key for one in asks]
                version, known = self._books.known(tenant)
                told = json.loads(await connection.fetchval(_FACTS, context, actors, keys, *things, version))
                rules = self._books.take(tenant, told, known)
                plan = make_plan(asks, Gathered(told), rules, tenant=tenant, new_id=self._new_id)
                if not plan.empty:
                    spends = [spend for spend, _ in plan.ledger]
                    ledger = encode([request for _, request in plan.ledger]) if plan.ledger else _NO_LEDGER
                    text = json.dumps(plan.to_json(), separators=(",", ":"))
                    await connection.execute(_RECORD, context, actors, text, spends, *ledger)
                if self._tells:
                    return await _told(connection, plan.outcomes)
        return plan.outcomes


async def _told(connection: type_of_connection, outcomes: Sequence[SpendOutcome]) -> list[SpendOutcome]:
    """The outcomes with their spends as the transaction leaves them."""
    rows = await spends_of(connection, [one.spend for one in outcomes if one.spend is not None])
    return [one if one.spend is None else replace(one, row=rows.get(one.spend)) for one in outcomes]
