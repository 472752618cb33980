"""The treasury in one command: two ventures that spend, on a real PostgreSQL and NATS, with doubles of the providers.

Everything is what runs in production but for the providers: rules decide, people approve, the payment worker pays over
HTTP, the sealer signs, the relay publishes, and the audit trusts none of them. Nothing is left running afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import nats
from rich.console import Console
from rich.table import Table

from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.embedded import embedded
from parpour_controlplane.relaying.relay import RelayCounts, run_relay
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import SealingCounts, SealingPace, run_sealer
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Bus, Place, Postgres, free_port
from parpour_treasury import MIGRATIONS
from parpour_treasury.auditing.handing import hand_over
from parpour_treasury.books import standard_accounts
from parpour_treasury.commands import Leg, Post
from parpour_treasury.currencies import format_amount
from parpour_treasury.payments.accounts import MountedAccounts
from parpour_treasury.payments.worker import PaymentWorker
from parpour_treasury.providers.doubles.core import Double
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.serving import serve
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.reconciliation.tokens import TokenFile
from parpour_treasury.spending.asks import Approve, RequestSpend, SpendOutcome, account_digest
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.changes import EnvelopeBody, MemberBody, PayeeBody
from parpour_treasury.spending.containing import Cause, Containment
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import Recorded, Register
from parpour_treasury.spending.rules import Allow, Reserve, RuleBook, Tier
from parpour_treasury.testing import Books, new_books

OUT = Path("out/treasury")
SETTLE_SECONDS = 20.0
PARPOUR = str(Path(sys.executable).with_name("parpour"))

RULES = RuleBook(
    allow=(
        Allow(name="agents", currency="USD", per_action=50_000, roles=("agent",)),
        Allow(name="people", currency="USD", per_action=500_000, roles=("owner", "treasurer")),
    ),
    tiers=(Tier(currency="USD", above=2_000, quorum=1),),
    reserves=(Reserve(name="payroll", account="assets:bank:usd", amount=100_000),),
    payee_cool_off_seconds=0,
)
"""Agents may spend up to 500 dollars at once; from 20 dollars a payee on, a person approves; 1,000 dollars stay."""

console = Console(width=124, highlight=False, emoji=False)
"""Records the parts of the story that the picture shows."""


@dataclass
class Venture:
    """A tenant of the demo."""

    name: str
    books: Books
    authority: Authority
    register: Register
    governance: Governance
    payee: UUID
    envelope: UUID

    def context(self, actor: str = "user:ann") -> str:
        """A fresh context of somebody of the venture."""
        return self.books.mint.mint(tenant=self.books.tenant, actor=actor)

    def asking(self, amount: int, purpose: str) -> RequestSpend:
        """A request of its payee."""
        return RequestSpend(
            key=f"demo-{purpose}",
            envelope=self.envelope,
            payee=self.payee,
            currency="USD",
            amount=amount,
            purpose=purpose,
        )


async def new_venture(
    database: Database, place: Place, name: str, *, payee: str, provider: str, account: str
) -> Venture:
    """A venture with 5,000 dollars, a budget of 2,000, two people, an agent and one payee."""
    books = await new_books(database, place.app)
    numbers = {one.code: await books.ledger.open_account(books.context, one) for one in standard_accounts("USD")}
    venture = Venture(
        name, books, Authority(database, place.app), Register(database), Governance(database), uuid4(), uuid4()
    )
    await venture.governance.bootstrap(
        books.mint.mint(tenant=books.tenant, actor="system:operator"),
        members=[
            MemberBody(actor="user:ann", person="ann", roles=("owner",)),
            MemberBody(actor="user:bob", person="bob", roles=("treasurer", "approver")),
            MemberBody(actor="agent:buyer", person="ann", roles=("agent",)),
        ],
        rules=RULES,
        envelopes=[EnvelopeBody(envelope=venture.envelope, code="budget", currency="USD", cap=200_000)],
        payees=[
            PayeeBody.model_validate(
                {
                    "payee": venture.payee,
                    "name": payee,
                    "category": "supplies",
                    "provider": provider,
                    "destination": {"id": account},
                    "account": account_digest([("number", account)]).hex(),
                }
            )
        ],
    )
    bank, funding = numbers["assets:bank:usd"], numbers["equity:funding:usd"]
    deposit = Post(key="deposit", correlation=uuid4(), legs=(Leg(bank, 500_000, "USD"), Leg(funding, -500_000, "USD")))
    (await books.batcher.submit(books.tenant, "user:ann", deposit)).raise_for_refusal()
    return venture


def say(line: str) -> None:
    """A step of the story."""
    console.print(f"\n[bold]{line}[/bold]")


def money(amount: int) -> str:
    """Dollars."""
    return f"{format_amount(amount, 'USD')} USD"


async def ask(venture: Venture, amount: int, purpose: str, *, explained: bool = True) -> SpendOutcome:
    """The agent asks, and the story tells what it was answered."""
    asking = venture.asking(amount, purpose)
    for actor in ("agent:buyer", "user:ann") if explained else ():
        told = await venture.authority.explain(venture.books.tenant, actor, asking)
        reasons = "; ".join(told.lines) if told.lines else ", ".join(told.codes) or "no reasons"
        console.print(f"  explained to {actor}: {told.verdict.value} ({reasons})")
    outcome = await venture.authority.submit(venture.books.tenant, "agent:buyer", asking)
    state = outcome.state or "refused"
    console.print(
        f"  {venture.name}: agent:buyer asks for {money(amount)}: [cyan]{state}[/cyan] {' '.join(outcome.codes)}"
    )
    return outcome


async def approve(venture: Venture, spend: UUID) -> None:
    """A person approves exactly what was asked."""
    standing = await venture.register.spend(venture.context(), spend)
    approval = Approve(key=f"approve-{spend}", spend=spend, digest=standing.digest, authenticated_at=datetime.now(UTC))
    outcome = await venture.authority.submit(venture.books.tenant, "user:bob", approval)
    outcome.raise_for_refusal()
    console.print(f"  user:bob approves the digest {standing.digest.hex()[:16]}…: [cyan]{outcome.state}[/cyan]")


async def paid(venture: Venture, spend: UUID, double: Double, state: str) -> None:
    """Wait until the worker has sent it, let the provider get on, and wait until it is settled."""
    await until(venture, spend, "sent")
    reference = double.payments()[-1].reference
    console.print(f"  the provider has it: {reference}; it goes on to {state!r}")
    double.advance(reference, state)
    await venture.books.database.pool.fetchval(
        "select treasury.hint($1, $2, $3, 'demo', $4)",
        venture.context(),
        (await venture.register.spend(venture.context(), spend)).provider,
        f"evt_{spend}",
        reference,
    )
    await until(venture, spend, "settled")
    console.print(f"  {venture.name}: the spend is [cyan]settled[/cyan], paid once: {len(double.payments())} payment")


async def until(venture: Venture, spend: UUID, state: str) -> None:
    """Wait for a state.

    Raises:
        TimeoutError: if it does not come.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while (now := (await venture.register.spend(venture.context(), spend)).state) != state:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the spend is {now}, not {state}")
        await asyncio.sleep(0.1)


def show_decision(recorded: Recorded) -> None:
    """A decision and what it was made from."""
    facts, decision = recorded.facts, recorded.decision
    used = [f"{one.code}: {money(one.reserved + one.spent)} of {money(one.cap)} in use" for one in facts.envelopes]
    console.print(
        f"  {recorded.number}. {decision.verdict.value} by rule {decision.allowed_by!r} of rules "
        f"{facts.rules_version}; {decision.quorum} has to approve, {len(facts.approvers)} has; {', '.join(used)}"
    )


async def show_balance(venture: Venture) -> None:
    """The trial balance."""
    table = Table(title=f"Trial balance of {venture.name}", title_justify="left")
    table.add_column("account")
    table.add_column("debit", justify="right")
    table.add_column("credit", justify="right")
    lines = [line for line in await venture.books.ledger.trial_balance(venture.context()) if line.balance]
    for line in lines:
        amount = format_amount(abs(line.balance), line.currency)
        table.add_row(line.code, *((amount, "") if line.balance > 0 else ("", amount)))
    total = sum(line.balance for line in lines if line.balance > 0)
    table.add_row(
        "total", format_amount(total, "USD"), format_amount(-sum(x.balance for x in lines if x.balance < 0), "USD")
    )
    console.print(table)


def audit(verb: str, folder: Path, *more: str) -> int:
    """Run `parpour treasury verify` or `incident` as an auditor would."""
    command = [PARPOUR, "treasury", verb, str(folder), "--key", str(OUT / "signing.pub"), *more]
    console.print(f"  $ parpour {' '.join(command[1:])}", soft_wrap=True)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    said = "".join(f"    {line}\n" for line in (done.stdout + done.stderr).splitlines())
    console.print(said, markup=False, end="", soft_wrap=True)
    return done.returncode


async def contain(venture: Venture) -> None:
    """A person revokes the agent; what was not sent is called off."""
    containment = Containment(venture.governance, venture.authority, venture.register, venture.books.mint)
    done = await containment.contain(
        venture.books.tenant, "user:ann", Cause(actor="agent:buyer"), reason="it asks for too much", call_off=True
    )
    console.print(f"  user:ann revokes agent:buyer: {'done' if done.stopped else 'was done before'}")
    for one in done.endings:
        name, fate = str(one.spend)[:8], f"; {one.fate}" if one.fate else ""
        console.print(f"  in flight: spend {name} was {one.before.value} and is [cyan]{one.after.value}[/cyan]{fate}")


def strip_fonts(svg: str) -> str:
    """A picture that fetches nothing."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


@asynccontextmanager
async def running(
    place: Place, folder: Path, bus: Bus, doubles: dict[str, str]
) -> AsyncIterator[tuple[SigningKey, RelayCounts]]:
    """Sealer, relay and payment worker, each in sessions of its own role, until the end of the block."""
    stop, key = asyncio.Event(), SigningKey(secrets.token_bytes(32))
    sealing, relaying = SealingCounts(), RelayCounts()
    accounts = MountedAccounts(folder / "accounts", egress=Egress((), loopback=True), endpoints=doubles)
    (folder / "tokens").mkdir()
    tokens = TokenFile(folder / "tokens")
    async with AsyncExitStack() as stack:
        roles = ("parpour_sealer", "parpour_relay", "parpour_payment")
        sealer, relay, payment = [
            await stack.enter_async_context(open_database(place.dsn(role), connections=3)) for role in roles
        ]
        client = await nats.connect(bus.url)
        stack.push_async_callback(client.close)
        tasks = [
            asyncio.create_task(
                run_sealer(
                    sealer,
                    place.sealer,
                    SigningKeys((key,)),
                    FolderStore(OUT / "checkpoints"),
                    clock=lambda: datetime.now(UTC),
                    random=os.urandom,
                    stop=stop,
                    pace=SealingPace(sign=1.0),
                    counts=sealing,
                )
            ),
            asyncio.create_task(
                run_relay(relay, place.relay, client, clock=time.monotonic, stop=stop, counts=relaying)
            ),
            asyncio.create_task(
                PaymentWorker(payment, place.payment, accounts, tokens, clock=lambda: datetime.now(UTC)).run(stop)
            ),
        ]
        try:
            yield key, relaying
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            await accounts.close()


def mount_accounts(folder: Path, tenant: UUID, accounts: dict[str, object], secret: str) -> None:
    """What an administrator mounts for the payment worker, and nobody else: one tenant's accounts."""
    place = folder / "accounts" / str(tenant)
    place.mkdir(parents=True, mode=0o700)
    (place / "accounts.json").write_text(json.dumps(accounts))
    (place / "key").touch(mode=0o600)
    (place / "key").write_text(secret)


async def tell(place: Place, folder: Path, bus: Bus) -> None:
    """The story."""
    clock = lambda: datetime.now(UTC)  # noqa: E731
    stripe, mercury = StripeDouble(clock=clock), MercuryDouble(clock=clock)
    async with (
        open_database(place.dsn(), connections=4) as database,
        serve(stripe) as stripe_url,
        serve(mercury) as mercury_url,
        running(place, folder, bus, {"stripe": stripe_url, "mercury": mercury_url}) as (key, relaying),
    ):
        say("1. Two ventures: 5,000 USD each, a budget of 2,000, an agent, two people")
        acme = await new_venture(database, place, "acme", payee="The Shop", provider="stripe", account="pm_payee")
        globex = await new_venture(
            database, place, "globex", payee="The Firm", provider="mercury", account="recipient-1"
        )
        mount_accounts(
            folder, acme.books.tenant, {"stripe": {"key": "key", "financialAccount": "fa_double"}}, "sk_test_double"
        )
        mount_accounts(
            folder,
            globex.books.tenant,
            {"mercury": {"token": "key", "account": "acc_double", "way": "transactions"}},
            "secret-token:mercury_sandbox_double",
        )
        console.record = True
        say("2. An agent is refused: no rule lets it spend so much at once")
        await ask(acme, 90_000, "a-server")
        say("3. An agent asks, a person approves, Stripe pays")
        asked = await ask(acme, 4_200, "banners")
        assert asked.spend is not None
        await approve(acme, asked.spend)
        await paid(acme, asked.spend, stripe, "posted")
        console.record = False
        say("4. The other venture pays through Mercury")
        asked_too = await ask(globex, 12_999, "legal-advice")
        assert asked_too.spend is not None
        await approve(globex, asked_too.spend)
        await paid(globex, asked_too.spend, mercury, "sent")
        say("5. The decision about acme's spend, made again from what was recorded with it")
        for recorded in await acme.register.decisions(acme.context(), asked.spend):
            show_decision(recorded)
        replayed = await acme.register.replay(acme.context(), asked.spend)
        same = all(one == other for one, other in replayed)
        console.print(f"  decided again from that: {'the same' if same else 'NOT the same'}")
        say("6. The books")
        for venture in (acme, globex):
            await show_balance(venture)
        console.record = True
        say("7. acme's agent asks twice more; a person revokes it, and what was not sent is called off")
        for purpose in ("more-banners", "a-blimp"):
            await ask(acme, 30_000, purpose, explained=False)
        await contain(acme)
        await ask(acme, 100, "one-last-banner", explained=False)
        console.record = False
        say("8. Every event sealed, signed and on the bus; an audit needs four files and a public key")
        await asyncio.sleep(3)
        console.print(f"  {relaying.events} events were published to JetStream")
        (OUT / "signing.pub").write_text(key.public.hex())
        store = FolderStore(OUT / "checkpoints")
        for venture in (acme, globex):
            await hand_over(database, venture.context, store, venture.books.tenant, OUT / venture.name)
            if audit("verify", OUT / venture.name, "--keep", str(OUT / f"{venture.name}.checkpoint")):
                raise SystemExit("the audit failed")
    console.record = True
    say("9. What the agent did, from the audit's files alone")
    if audit("incident", OUT / "acme", "--agent", "agent:buyer", "-o", str(OUT / "incident")):
        raise SystemExit("the incident could not be told")
    console.record = False
    say("10. Somebody adds a cent to a journal in acme's books")
    shutil.copytree(OUT / "acme", OUT / "tampered")
    text = (OUT / "tampered" / "books.ndjson").read_text()
    (OUT / "tampered" / "books.ndjson").write_text(text.replace('"amount":4200', '"amount":4201', 1))
    if audit("verify", OUT / "tampered") != 1:
        raise SystemExit("the tampering was not found")


def main() -> int:
    """Tell it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw parts of the story as SVG")
    picture: Path | None = parser.parse_args().picture
    begin = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with embedded() as cluster, tempfile.TemporaryDirectory() as folder:
        place = Postgres(cluster).place(MIGRATIONS)
        bus = Bus(Path(folder), free_port())
        bus.start()
        try:
            asyncio.run(tell(place, Path(folder), bus))
        finally:
            bus.kill()
    if picture is not None:
        picture.write_text(strip_fonts(console.export_svg(title="make demo-treasury", unique_id="treasury")))
    say(f"Done in {time.monotonic() - begin:.0f} s; the audits are in {OUT}/")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
