"""The treasury with servers of somebody's own: a PostgreSQL that a hook prepares, and providers that pay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from harness.deadlines import until
from harness.outside import ADMINISTRATOR, CA, HOOK_SECRET, PROVIDERS, UNLISTED, Outside, outside
from harness.release import NAMESPACE, ROOT, Object, Release, install
from harness.treasury import HOST, Treasury, installed

pytestmark = pytest.mark.cluster

VENTURE = "outsiders"
SECOND = "second"
"""A release that never comes to be, and its namespace."""
ACCOUNTS = "outsiders-accounts"
CHANGE = "... on ProposedChange { change { id digest } } ... on Refusal { code message field }"
SPEND = """query($id: ID!) { spend(id: $id) { state digest amount { amount } settled { amount } providerReference
    outcomes { step reference } journals { number legs { side amount { amount } account { code } } } } }"""
BALANCES = "{ accounts(first: 50) { nodes { id code balance { amount } } } }"
RULES = {
    "allow": [
        {"name": "agents", "currency": "USD", "perAction": 5000, "roles": ["agent"]},
    ],
    "tiers": [{"currency": "USD", "above": 0, "quorum": 1}],
    "payeeCoolOffSeconds": 0,
}
"""Agents may spend up to 50 dollars at once, and a person approves each time."""
PAYEES = {
    "STRIPE": [{"name": "id", "value": "pm_payee"}],
    "MERCURY": [{"name": "id", "value": "recipient-1"}],
}
ARRIVED = {"stripe": "posted", "mercury": "sent"}
"""What each provider calls a payment that has arrived."""
KNOCK = """
import asyncio, json, os, ssl, sys, urllib.request, httpx
from parpour_api.workers.parts import ways_out
from parpour_api.workers.settings import WorkerSettings
from parpour_treasury.providers.egress import client
settings = WorkerSettings.read(os.environ)
context = ssl.create_default_context(cafile=settings.doubles_authority_file)
def plainly(host):
    try:
        return urllib.request.urlopen(f"https://{host}/_", timeout=3, context=context).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error.reason if isinstance(error, urllib.error.URLError) else error).__name__
async def as_it_pays(host):
    found = []
    for way in ways_out(settings):
        async with client(way, timeout_s=3) as http:
            try:
                found.append((await http.get(f"https://{host}/_")).status_code)
            except httpx.HTTPError as error:
                found.append(type(error).__name__)
    return found
print(json.dumps({host: [plainly(host), *asyncio.run(as_it_pays(host))] for host in sys.argv[1:]}))
"""
"""What comes of a host in the payment worker: to any program, on its way to providers, and on the one to doubles."""


@pytest.fixture(scope="module")
def servers(release: Release) -> Iterator[Outside]:
    with outside(release) as servers:
        yield servers


GUESS = "wrong-administrator"
"""A Secret with another password than the administrator's."""
REFUSED = "not installed: InvalidPasswordError: password authentication failed for user"
ISSUER = 'treasury.issuer={"url":"https://login.example.org","keysUrl":"https://login.example.org/keys"}'


def test_a_wrong_password_says_so_and_installs_nothing(servers: Outside) -> None:
    release = servers.release
    release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SECOND}})
    release.apply(_copied(release, CA, SECOND), _secret(GUESS, SECOND, password="a guess"))
    elsewhere = ["crds.install=false", f'simulationNamespaces=["{SECOND}"]']
    try:
        with pytest.raises(AssertionError) as told:
            _helm_installs(release, SECOND, ["treasury.enabled=true", ISSUER, *servers.database(GUESS), *elsewhere])
        assert REFUSED in str(told.value)
        assert _left(release, SECOND) == {"job.batch/second-parpour-database"}
        assert servers.query("select 1 from pg_roles where rolname like 'parpour%'", database="postgres") == []
        states = json.loads(release.cluster.helm("history", SECOND, "--namespace", SECOND, "--output", "json"))
        assert [one["status"] for one in states] == ["failed"]
    finally:
        release.cluster.helm("uninstall", SECOND, "--namespace", SECOND, "--ignore-not-found")
        release.kubectl("delete", "namespace", SECOND, "--wait=false")


def test_a_wrong_password_leaves_the_release_before_as_it_was(servers: Outside) -> None:
    release = servers.release
    release.apply(_secret(GUESS, NAMESPACE, password="a guess"))
    before = _left(release, NAMESPACE)
    try:
        with pytest.raises(AssertionError, match=REFUSED):
            install(release.cluster, settings=[ISSUER, *servers.database(GUESS)], treasury=True)
    finally:
        release.kubectl("delete", "secret", GUESS, "--namespace", NAMESPACE)
    assert _left(release, NAMESPACE) - before == {"job.batch/parpour-database"}
    release.wait_rolled_out("deployment/parpour-operator", seconds=30)


def _left(release: Release, namespace: str) -> set[str]:
    """What is there of the releases of a namespace, pods aside."""
    kinds = "deployments,statefulsets,jobs,services,configmaps,secrets,persistentvolumeclaims,networkpolicies"
    mine = ("--selector", "app.kubernetes.io/name=parpour", "--output", "name")
    others = "serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"
    found = release.kubectl("get", kinds, "--namespace", namespace, *mine).split()
    listed = release.kubectl("get", others, "--namespace", namespace, *mine).split()
    return {*found, *(one for one in listed if namespace == NAMESPACE or SECOND in one)}


def _helm_installs(release: Release, name: str, settings: list[str]) -> None:
    pairs = [argument for setting in settings for argument in ("--set-json", setting)]
    release.cluster.helm(
        *("install", name, str(ROOT / "charts" / "parpour"), "--namespace", name, "--values", str(release.values)),
        *("--wait", "--timeout", "120s", *pairs),
    )


def _copied(release: Release, name: str, namespace: str) -> Object:
    found = release.get("secret", name, namespace=NAMESPACE)
    assert found is not None
    return {**found, "metadata": {"name": name, "namespace": namespace}}


def _secret(name: str, namespace: str, **data: str) -> Object:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}


@pytest.fixture(scope="module")
def treasury(servers: Outside) -> Iterator[Treasury]:
    with installed(servers.release, *servers.database()) as treasury:
        yield treasury


@pytest.fixture(scope="module")
def tenant(treasury: Treasury) -> Iterator[str]:
    """A Venture of a hundred dollars; its tenant."""
    release = treasury.release
    owners = [{"subject": name, "person": name} for name in ("ann", "bob")]
    spec = {"displayName": "Outsiders", "owners": owners, "budget": {"amount": "100.00", "currency": "USD"}}
    kind = {"apiVersion": "parpour.dev/v1alpha1", "kind": "Venture"}
    release.apply({**kind, "metadata": {"name": VENTURE}, "spec": {**spec, "deletionPolicy": "Delete"}})
    release.kubectl("wait", f"venture/{VENTURE}", "--for=condition=Ready", "--timeout=90s")
    yield json.loads(release.kubectl("get", "venture", VENTURE, "--output", "json"))["metadata"]["uid"]
    release.kubectl("delete", "venture", VENTURE, "--timeout=60s")


def test_a_hook_prepares_the_server_for_services_that_may_do_less(treasury: Treasury, servers: Outside) -> None:
    assert "database parpour: made; migrations: controlplane 0001" in treasury.release.said
    not_there = {"statefulset.apps/parpour-postgres", "job.batch/parpour-database", "secret/parpour-database-roles"}
    assert not not_there & _left(treasury.release, NAMESPACE)
    busy = "select distinct usename from pg_stat_activity where datname = 'parpour' order by usename"
    roles = until(lambda: found if len(found := servers.query(busy)) > 4 else None, what="every role to be connected")
    assert set(roles) - {"postgres"} == {f"parpour_{one}" for one in ("app", "payment", "relay", "sealer", "sweeper")}
    mighty = (
        "select rolname from pg_roles where rolname like 'parpour%' and (rolsuper or rolcreaterole or rolbypassrls)"
    )
    assert servers.query(mighty) == []


def test_a_tenant_is_opened_there_and_its_books_are_read(treasury: Treasury, tenant: str, servers: Outside) -> None:
    books = treasury.ask(tenant, "{ envelopes { nodes { code cap { amount } } } }")
    assert books == {"envelopes": {"nodes": [{"code": "venture", "cap": {"amount": "100.00"}}]}}
    assert tenant in servers.query("select tenant_id::text from controlplane.tenant")


@dataclass(frozen=True)
class Paying:
    """A venture that pays through the doubles."""

    treasury: Treasury
    servers: Outside
    tenant: str
    upgrade: str
    """What the upgrade said."""

    def did(self, name: str, arguments: str, made: str, *, by: str = "ann", **asking: Any) -> Any:
        """The result of one mutation."""
        query = f"mutation {{ done: {name}({arguments}) {{ __typename {made} }} }}"
        return self.treasury.ask(self.tenant, query, sub=by, **asking)["done"]

    def changed(self, name: str, arguments: str) -> None:
        """What ann proposes and bob confirms."""
        change = self.did(name, f'key: "{uuid4()}", {arguments}', CHANGE)["change"]
        named = f'change: "{change["id"]}", digest: "{change["digest"]}"'
        told = self.did("confirmChange", named, "... on Refusal { code message }", by="bob")
        assert told["__typename"] == "ConfirmedChange", told

    def spend(self, number: str) -> Any:
        """A spend as ann reads it."""
        return self.treasury.ask(self.tenant, SPEND, {"id": number})["spend"]


@pytest.fixture(scope="module")
def paying(treasury: Treasury, servers: Outside, tenant: str) -> Iterator[Paying]:
    accounts = {
        "stripe": {"key": "stripe-key", "financialAccount": "fa_double"},
        "mercury": {"token": "mercury-token", "account": "acc_double", "way": "transactions"},
    }
    keys = {"stripe-key": "sk_test_double", "mercury-token": "secret-token:mercury_sandbox_double"}
    treasury.release.apply(
        _secret(ACCOUNTS, NAMESPACE, **{"accounts.json": json.dumps(accounts)}, **keys),
        *(_secret(f"outsiders-{name}", NAMESPACE, **_endpoint(tenant, name)) for name in PROVIDERS),
    )
    webhooks = {name: f"outsiders-{name}" for name in PROVIDERS}
    settings = servers.providers(tenant, accounts=ACCOUNTS, webhooks=webhooks)
    found = Paying(treasury, servers, tenant, treasury.upgraded(*settings).said)
    found.changed("proposeRules", f"version: 2, document: {json.dumps(json.dumps(RULES))}")
    found.changed("proposeMember", 'actor: "agent:buyer", roles: [AGENT], person: "ann"')
    for provider, destination in PAYEES.items():
        pairs = ", ".join(f'{{name: "{one["name"]}", value: "{one["value"]}"}}' for one in destination)
        account = f'account: [{{name: "number", value: "{provider}-1"}}]'
        words = (
            f'name: "Shop {provider}", category: "supplies", provider: {provider}, destination: [{pairs}], {account}'
        )
        found.changed("proposePayee", words)
    numbers = {one["code"]: one["id"] for one in treasury.ask(tenant, BALANCES)["accounts"]["nodes"]}
    leg = '{{account: "{}", side: {}, amount: "200.00", currency: "USD"}}'
    legs = [leg.format(numbers["assets:bank:usd"], "DEBIT"), leg.format(numbers["equity:funding:usd"], "CREDIT")]
    posted = found.did("postJournal", f'key: "deposit", legs: [{", ".join(legs)}]', "... on Refusal { code message }")
    assert posted["__typename"] == "PostedJournal", posted
    yield found
    treasury.release.kubectl("delete", "secret", ACCOUNTS, *webhooks.values(), "--namespace", NAMESPACE)


def _endpoint(tenant: str, provider: str) -> dict[str, str]:
    described = {"tenant": tenant, "provider": provider, "secrets": ["current"]}
    return {"endpoint.json": json.dumps(described), "current": HOOK_SECRET}


def test_an_upgrade_runs_the_hook_again_and_it_changes_nothing(paying: Paying, servers: Outside) -> None:
    assert "database parpour: there; migrations: none" in paying.upgrade
    assert paying.tenant in servers.query("select tenant_id::text from controlplane.tenant")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_agent_asks_a_person_approves_and_the_provider_pays_once(paying: Paying, provider: str) -> None:
    before = _balances(paying)
    spend = _requested(paying, provider, "12.34")
    assert paying.spend(spend)["state"] == "AWAITING_APPROVAL"
    assert not paying.servers.ordered(provider)["payments"]
    digest = f'key: "approve-{spend}", spend: "{spend}", digest: "{paying.spend(spend)["digest"]}"'
    assert paying.did("approveSpend", digest, "... on Refusal { code }", by="bob")["__typename"] == "ApprovedSpend"

    def sent() -> Any:
        found = paying.spend(spend)
        return found if found["state"] == "SENT" else None

    until(sent, what="the payment to be sent", seconds=90)
    (paid,) = paying.servers.ordered(provider)["payments"]
    assert (paid["spend_id"], paid["amount"]) == (spend, 1234)
    # A webhook has the worker look at once what has become of it.
    moved = {"reference": paid["reference"], "state": ARRIVED[provider]}
    assert set(paying.servers.ordered(provider, advance=moved)["taken"]) == {204}
    settled = until(lambda: found if (found := paying.spend(spend))["state"] == "SETTLED" else None, what="settlement")
    assert settled["settled"] == {"amount": "12.34"}
    assert settled["providerReference"] == paid["reference"]
    assert [one["reference"] for one in paying.servers.ordered(provider)["payments"]] == [paid["reference"]]
    after = _balances(paying)
    moved_by = {code: after[code] - before[code] for code in after if after[code] != before[code]}
    assert moved_by == {"assets:bank:usd": Decimal("-12.34"), "expenses:spending:usd": Decimal("12.34")}


def _balances(paying: Paying) -> dict[str, Decimal]:
    nodes = paying.treasury.ask(paying.tenant, BALANCES)["accounts"]["nodes"]
    return {one["code"]: Decimal(one["balance"]["amount"]) for one in nodes}


def _requested(paying: Paying, provider: str, amount: str) -> str:
    query = "{ envelopes { nodes { id code } } payees { nodes { id name } } }"
    listed = paying.treasury.ask(paying.tenant, query)
    (payee,) = [one["id"] for one in listed["payees"]["nodes"] if one["name"] == f"Shop {provider.upper()}"]
    asking = {
        "envelope": listed["envelopes"]["nodes"][0]["id"],
        "payee": payee,
        "amount": amount,
        "currency": "USD",
        "purpose": "banners",
    }
    query = """mutation($key: String!, $spend: SpendInput!) { requestSpend(key: $key, spend: $spend) { __typename
        ... on RequestedSpend { spend { id } } ... on RefusedSpend { codes } ... on Refusal { code message } } }"""
    variables = {"key": f"ask-{provider}", "spend": asking}
    told = paying.treasury.ask(paying.tenant, query, variables, sub="buyer", roles=("agent",), kind="agent")
    assert told["requestSpend"]["__typename"] == "RequestedSpend", told
    number: str = told["requestSpend"]["spend"]["id"]
    return number


def test_the_worker_reaches_its_providers_and_no_other_host(paying: Paying) -> None:
    stripe = PROVIDERS["stripe"]
    text = paying.treasury.inside("statefulset/parpour-payments", "python", "-c", KNOCK, stripe, UNLISTED, HOST)
    found = json.loads(text)
    # Its policy lets it reach the pod; its list lets it reach one name of it, on one way.
    assert found[stripe] == [401, "EgressRefused", 401]
    assert found[UNLISTED] == [200, "EgressRefused", "EgressRefused"]
    # Its policy lets it reach nothing else.
    assert found[HOST] == ["TimeoutError", "EgressRefused", "EgressRefused"]


def test_the_payment_worker_alone_has_the_accounts(paying: Paying) -> None:
    release = paying.treasury.release
    pods = release.list_of("pods", selector="app.kubernetes.io/instance=parpour", namespace=NAMESPACE)
    with_them = {
        one["metadata"]["labels"]["app.kubernetes.io/component"] for one in pods if ACCOUNTS in json.dumps(one)
    }
    assert with_them == {"payments"}
    accounts = json.loads(release.kubectl("get", "serviceaccounts", "--namespace", NAMESPACE, "--output", "json"))
    for account in accounts["items"]:
        who = f"system:serviceaccount:{NAMESPACE}:{account['metadata']['name']}"
        asked = ("auth", "can-i", "get", f"secrets/{ACCOUNTS}", "--as", who, "--namespace", NAMESPACE)
        with pytest.raises(AssertionError):
            release.kubectl(*asked)
    tables = "select format('%I.%I', schemaname, relname) from pg_stat_user_tables"
    named = "select '{0}' from {0} t where t::text ~ '(sk_test|mercury_sandbox)_double'"
    assert paying.servers.query(" union ".join(named.format(one) for one in paying.servers.query(tables))) == []


def test_the_administrators_password_is_in_no_pod_that_stays(paying: Paying) -> None:
    pods = paying.treasury.release.list_of("pods", namespace=NAMESPACE)
    assert [one["metadata"]["name"] for one in pods if ADMINISTRATOR in json.dumps(one)] == []
