"""Ventures and budgets on a real API server: the operator and the internal API as processes of the machine, tokens
reviewed by the server itself, the books in a real database."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parpour_api.internal.serving import listener, open_internal
from parpour_api.internal.settings import InternalSettings
from parpour_api.internal.ventures import Ventures
from parpour_contracts.funding import AUDIENCE
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.embedded import installed
from parpour_controlplane.testing import Place, Postgres
from parpour_operator.testing.lives import SCENARIO
from parpour_treasury import MIGRATIONS
from parpour_treasury.ledger import Ledger
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.register import Register

from .cluster_fixtures import Object, Operators, Room, Stage, Store, grant, until

pytestmark = [
    pytest.mark.cluster,
    # What differs between servers is told by the tests of the books themselves.
    pytest.mark.parametrize("postgres", [max(installed())], indirect=True, ids=lambda major: f"postgres{major}"),
]

PRICES = {"version": "test", "prices": {"USD": {"cpuHour": "36", "memoryGibHour": "0", "gpuHour": "0"}}}
"""A core costs a cent a second."""
TOWN = SCENARIO.replace("size: 1000", "size: 60000")


def certify(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "internal")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=4))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, private


@dataclass
class Api:
    """The internal API on a thread of its own, and questions to its database."""

    settings: InternalSettings
    place: Place
    server: uvicorn.Server | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    database: Database | None = None

    async def _serve(self, ready: threading.Event) -> None:
        async with AsyncExitStack() as stack:
            self.database = await stack.enter_async_context(open_database(self.place.dsn(), connections=4))
            authority = Authority(self.database, self.place.app)
            opened = open_internal(self.settings, database=self.database, mint=self.place.app, authority=authority)
            self.server = listener(await stack.enter_async_context(opened), self.settings)
            ready.set()
            await self.server.serve()

    def start(self) -> threading.Thread:
        """Serve until `server.should_exit`."""
        ready = threading.Event()
        thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve(ready)), daemon=True)
        thread.start()
        assert ready.wait(30)
        until(lambda: self.server is not None and self.server.started, seconds=90)
        return thread

    @property
    def url(self) -> str:
        assert self.server is not None
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"https://127.0.0.1:{port}"

    def ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(30)

    def budget(self, venture: UUID) -> Any:
        """The venture's envelope."""
        assert self.database is not None
        return self.ask(Ventures(self.database, self.place.app).budget(venture))

    def faults(self, venture: UUID) -> Any:
        """What contradicts itself in the books."""
        assert self.database is not None
        context = self.place.app.mint(tenant=venture, actor="system:test")
        return self.ask(Ledger(self.database).faults(context))


def _delegate(home: str) -> list[Object]:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "internal-api", "namespace": home}}
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{home}-internal-api"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": "internal-api", "namespace": home}],
    }
    return [account, binding]


def _authority(stage: Stage, folder: Path) -> tuple[str, Path]:
    """Address and authority of the API server."""
    found = yaml.safe_load(stage.kubeconfig.read_text())["clusters"][0]["cluster"]
    if "certificate-authority" in found:
        return str(found["server"]), Path(found["certificate-authority"])
    path = folder / "ca.crt"
    path.write_bytes(base64.b64decode(found["certificate-authority-data"]))
    return str(found["server"]), path


@pytest.fixture
def api(stage: Stage, postgres: Postgres, tmp_path: Path) -> Iterator[Api]:
    stage.apply(*_delegate(stage.home))
    certificate, key = certify(tmp_path)
    prices, token = tmp_path / "prices.yaml", tmp_path / "own-token"
    prices.write_text(yaml.safe_dump(PRICES))
    token.write_text(stage.kubectl("create", "token", "internal-api", "--namespace", stage.home, "--duration", "1h"))
    url, authority = _authority(stage, tmp_path)
    settings = InternalSettings(
        port=0,
        certificate_file=certificate,
        key_file=key,
        price_list_file=prices,
        operator=stage.user,
        kubernetes_url=url,
        kubernetes_ca_file=authority,
        kubernetes_token_file=token,
    )
    made = Api(settings, postgres.place(MIGRATIONS))
    thread = made.start()
    yield made
    assert made.server is not None
    # Whoever still asks was to be killed with the test.
    made.server.should_exit = made.server.force_exit = True
    thread.join(30)
    assert not thread.is_alive()
    stage.kubectl("delete", "clusterrolebinding", f"{stage.home}-internal-api")


def funded(stage: Stage, api: Api, folder: Path, *, audience: str = AUDIENCE) -> dict[str, str]:
    """Settings of an operator that speaks to the API."""
    token = folder / f"token-{audience}"
    asked = ("create", "token", "operator", "--namespace", stage.home, "--audience", audience, "--duration", "1h")
    token.write_text(stage.kubectl(*asked))
    return {
        "PARPOUR_FUNDING_URL": api.url,
        "PARPOUR_FUNDING_CA_FILE": str(api.settings.certificate_file),
        "PARPOUR_FUNDING_TOKEN_FILE": str(token),
        "PARPOUR_REFUSED_RETRY_SECONDS": "1",
    }


def venture(name: str, **changes: Any) -> Object:
    spec = {
        "displayName": "Acme",
        "owners": [{"subject": "ann", "person": "ann"}, {"subject": "bob", "person": "bob"}],
        "budget": {"amount": "3.00", "currency": "USD"},
        **changes,
    }
    return {"apiVersion": "parpour.dev/v1alpha1", "kind": "Venture", "metadata": {"name": name}, "spec": spec}


def read(stage: Stage, name: str) -> Object:
    found = stage.kubectl("get", "venture", name, "--ignore-not-found", "--output", "json")
    return dict(json.loads(found)) if found.strip() else {}


def condition(stage: Stage, name: str, kind: str) -> Object:
    conditions = read(stage, name).get("status", {}).get("conditions", ())
    return next((c for c in conditions if c["type"] == kind), {})


def test_a_simulation_over_budget_is_refused_and_one_within_settles(
    room: Room, operators: Operators, store: Store, worker_image: str, api: Api, tmp_path: Path
) -> None:
    stage, name = room.stage, f"{room.name}-acme"
    settings = funded(stage, api, tmp_path)
    first = operators(**settings).wait_ready()
    stage.apply(venture(name))
    until(lambda: condition(stage, name, "Ready").get("status") == "True", seconds=90, what="the venture is ready")
    tenant = UUID(read(stage, name)["metadata"]["uid"])
    made = json.loads(stage.kubectl("get", "namespace", name, "--output", "json"))
    assert made["metadata"]["labels"]["parpour.dev/venture-uid"] == str(tenant)
    assert first.stop() == 0
    try:
        worker = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "parpour-worker", "namespace": name},
        }
        stage.apply(worker, store.secret(name), *grant("operator", stage.home, name, "simulations"))
        inside = Room(stage, name)
        operators(**settings, PARPOUR_WATCH_NAMESPACES=name, PARPOUR_WORKER_IMAGE=worker_image).wait_ready()

        inside.simulate("over", budget={"amount": "5.00", "currency": "USD"})
        refused = until(lambda: inside.condition("Funded", "over"), seconds=90, what="refused")
        assert (refused["status"], refused["reason"]) == ("False", "TreasuryEnvelopeExceeded")
        assert "3.00" not in refused["message"]
        time.sleep(2)
        listed = stage.kubectl("get", "jobs,pods,configmaps", "--namespace", name, "--output", "name").split()
        assert [one for one in listed if "over" in one] == []
        assert "TreasuryEnvelopeExceeded" in inside.events("over")

        inside.simulate("within", budget={"amount": "2.50", "currency": "USD"})
        status = inside.reaches("Complete", "within")
        until(lambda: inside.condition("Funded", "within").get("reason") == "Settled", seconds=90, what="settled")
        cost = inside.status("within")["cost"]
        assert cost["measured"] is True
        assert cost["workerSeconds"] >= 4
        assert Decimal("0") < Decimal(cost["charged"]) < Decimal(cost["reserved"]) == Decimal("2.50")
        assert status["result"]["members"] == 8
        standing = api.budget(tenant)
        assert (standing.reserved, standing.spent) == (0, int(Decimal(cost["charged"]) * 100))
        until(lambda: not (inside.get("simulation", "within") or {})["metadata"].get("finalizers"), seconds=90)

        _suspend_and_resume(inside)
        inside.stage.kubectl("delete", "simulation", "torn", "--namespace", name, "--timeout=120s")
        assert api.budget(tenant).reserved == 0
        assert api.faults(tenant) == []
    finally:
        Room(stage, name).clear()
        stage.kubectl("delete", "namespace", name, "--wait=false")
        stage.kubectl("patch", "venture", name, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}')
        stage.kubectl("delete", "venture", name, "--wait=false", "--ignore-not-found")


def _suspend_and_resume(inside: Room) -> None:
    """The API server starts a resumed Job's clock anew and takes the shorter deadline that is left."""
    budget = {"amount": "2.00", "currency": "USD"}
    inside.simulate("torn", scenario={"inline": TOWN}, budget=budget)
    until(lambda: inside.status("torn").get("cost", {}).get("since"), what="a stretch has begun")

    def deadline() -> int:
        job = inside.get("job", "torn-shards")
        assert job is not None
        return int(job["spec"]["activeDeadlineSeconds"])

    whole = deadline()
    inside.simulate("torn", scenario={"inline": TOWN}, budget=budget, suspend=True)
    inside.reaches("Suspended", "torn")
    used = until(lambda: inside.status("torn")["cost"].get("usedSeconds"), what="the stretch has ended")
    assert used >= 30
    inside.simulate("torn", scenario={"inline": TOWN}, budget=budget, suspend=False)
    until(lambda: deadline() < whole, what="the deadline is what is left")
    assert deadline() == whole - used
    until(lambda: inside.status("torn").get("cost", {}).get("since"), what="another stretch has begun")
    time.sleep(2)
    assert deadline() == whole - inside.status("torn")["cost"]["usedSeconds"]


def test_a_token_of_another_audience_opens_nothing(room: Room, operators: Operators, api: Api, tmp_path: Path) -> None:
    stage, name = room.stage, f"{room.name}-else"
    operators(**funded(stage, api, tmp_path, audience="somebody-else")).wait_ready()
    stage.apply(venture(name))
    try:
        found = until(lambda: condition(stage, name, "Treasury"), seconds=90, what="the treasury is asked")
        assert (found["status"], found["reason"]) == ("Unknown", "TreasuryUnavailable")
        assert "FUNDING_UNAUTHENTICATED" in found["message"]
    finally:
        stage.kubectl("patch", "venture", name, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}')
        stage.kubectl("delete", "venture", name, "--ignore-not-found", "--wait=false")
        stage.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_deleting_a_venture_freezes_it_and_leaves_what_its_policy_leaves(
    policy: str, room: Room, operators: Operators, api: Api, tmp_path: Path
) -> None:
    stage, name = room.stage, f"{room.name}-{policy.lower()}"
    operators(**funded(stage, api, tmp_path)).wait_ready()
    stage.apply(venture(name, deletionPolicy=policy))
    until(lambda: condition(stage, name, "Ready").get("status") == "True", seconds=90)
    with pytest.raises(AssertionError, match=r"spec\.namespace cannot change"):
        stage.apply(venture(name, deletionPolicy=policy, namespace="other"))
    tenant = UUID(read(stage, name)["metadata"]["uid"])
    stage.kubectl("delete", "venture", name, "--timeout=60s")
    left = stage.kubectl("get", "namespace", name, "--ignore-not-found", "--output", "name").strip()
    assert bool(left) is (policy == "Retain")
    context = api.place.app.mint(tenant=tenant, actor="system:test")
    assert api.database is not None
    assert api.ask(Register(api.database).stops(context)).stopped_at is not None
    if left:
        stage.kubectl("delete", "namespace", name, "--wait=false")
