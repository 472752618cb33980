"""The typed client against the running application: the books, a spend that people approve, and a statement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from parpour_api.identity.principal import Role
from parpour_client import ApiError, Client, Refused, accepted
from parpour_client.generated import (
    AccountKind,
    ApprovedSpend,
    BoundBankAccount,
    LegInput,
    OpenedAccount,
    PostedJournal,
    Reconciled,
    Refusal,
    RequestedSpend,
    Side,
    SpendInput,
    SpendState,
)
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place, seal

from .banking import IBAN, Banking, camt, new_banking, today
from .building import Api, Caller

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bank(api: Api, place: Place) -> AsyncIterator[Banking]:
    async with open_database(place.dsn(), connections=2) as database:
        yield await new_banking(api, database)


def client_of(caller: Caller) -> Client:
    """The typed client in a caller's name."""
    return Client("http://api.example", token=lambda: caller.token, client=caller.client)


async def test_the_books_are_kept_and_read_in_types(api: Api) -> None:
    client = client_of(await api.venture())
    opened = [
        accepted(await client.open_account(code=code, name=code, kind=kind, currency="USD"), OpenedAccount)
        for code, kind in (("bank", AccountKind.ASSET), ("funding", AccountKind.EQUITY))
    ]
    legs = [
        LegInput(account=one.account.id, side=side, amount="12.50", currency="USD")
        for one, side in zip(opened, (Side.DEBIT, Side.CREDIT), strict=True)
    ]
    key = str(uuid4())
    posted = accepted(await client.post_journal(key=key, legs=legs, description="funding"), PostedJournal)
    again = accepted(await client.post_journal(key=key, legs=legs, description="funding"), PostedJournal)
    assert (posted.replayed, again.replayed, again.journal) == (False, True, posted.journal)
    refused = await client.post_journal(key="other", legs=legs[:1])
    assert isinstance(refused, Refusal)
    assert refused.code == "TREASURY_JOURNAL_UNBALANCED"
    with pytest.raises(Refused):
        accepted(refused, PostedJournal)
    page = await client.accounts(first=1)
    assert page.page_info.end_cursor
    rest = await client.accounts(after=page.page_info.end_cursor)
    assert [one.balance.amount for one in (*page.nodes, *rest.nodes)] == ["12.50", "12.50"]
    assert await client.journal(number="1") == posted.journal
    assert await client.journal(number="99") is None
    assert (await client.ledger()).journals == "1"
    await seal(api.place)
    assert [one.position for one in (await client.events()).nodes] == ["1", "2", "3"]


async def test_a_spend_is_asked_for_approved_and_found(bank: Banking) -> None:
    api, venture = bank.api, bank.venture
    agent = client_of(api.caller(venture.tenant, sub="buyer", actor_kind="agent", roles=["agent"]))
    cat = client_of(api.caller(venture.tenant, sub="cat", roles=["approver"]))
    asked = SpendInput(
        envelope=str(venture.ads), payee=str(venture.shop), amount="20.00", currency="USD", purpose="banners"
    )
    requested = accepted(await agent.request_spend(key="k1", spend=asked), RequestedSpend)
    assert requested.spend.state is SpendState.AWAITING_APPROVAL
    (waiting,) = (await cat.pending_approvals()).nodes
    assert waiting == requested.spend
    approved = accepted(await cat.approve_spend(key="k2", spend=waiting.id, digest=waiting.digest), ApprovedSpend)
    assert approved.spend.state is SpendState.RESERVED
    found = await client_of(bank.dan).spends(state=SpendState.RESERVED)
    assert [one.id for one in found.nodes] == [waiting.id]
    explained = await agent.explain(spend=asked)
    assert explained.lines is None, "software is told no limits"


async def test_a_statement_is_reconciled_in_types(bank: Banking) -> None:
    bob, dan = client_of(bank.bob), client_of(bank.dan)
    bound = await bob.bind_bank_account(account=bank.account, identification=IBAN, since=today())
    accepted(bound, BoundBankAccount)
    await bank.upload(camt("0.00", "9995.00", [("10000.00", "R1"), ("-5.00", "R2")]))
    assert accepted(await bob.reconcile(account=bank.account), Reconciled).exceptions == 2
    queue = await dan.exceptions(account=bank.account, first=5)
    assert queue
    assert [one.amount.amount for one in queue.exceptions.nodes] == ["10000.00", "-5.00"]
    check = await dan.check(account=bank.account)
    assert check
    assert check.statement
    assert check.statement.check.bank.amount == "9995.00"


async def test_what_a_role_may_not_is_an_error_with_its_code(api: Api) -> None:
    venture = await api.venture()
    auditor = client_of(api.caller(venture.tenant, roles=[Role.AUDITOR]))
    with pytest.raises(ApiError) as caught:
        await auditor.open_account(code="x", name="x", kind=AccountKind.ASSET, currency="USD")
    assert (caught.value.code, caught.value.status) == ("API_FORBIDDEN", 403)
    late = Client("http://api.example", token=lambda: "nothing", client=api.client)
    with pytest.raises(ApiError) as caught:
        await late.me()
    assert (caught.value.code, caught.value.status) == ("API_TOKEN_MALFORMED", 401)
