"""The chart's treasury in a cluster: money before pods, actual cost after them, and all of it read over the API."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from harness.deadlines import until
from harness.release import NAMESPACE, RELEASE, Object, Release
from harness.simulations import LARGER, Draft, complete, condition, draft, read, wait_for_ticks
from harness.treasury import Treasury, installed

pytestmark = pytest.mark.cluster

PARPOUR = str(Path(sys.executable).with_name("parpour"))
VENTURE = "acme"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:parpour-operator"
BOOKS = """{
    envelopes { nodes { code cap { amount } reserved { amount } spent { amount } } }
    spends(last: 50) { nodes { state amount { amount } settled { amount } actor code } }
    events(last: 200) { nodes { position type actor subject payload } } }"""
REACH = """
import concurrent.futures, json, socket, sys
def reach(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close(); return True
    except OSError:
        return False
with concurrent.futures.ThreadPoolExecutor() as pool:
    print(json.dumps(list(pool.map(reach, sys.argv[1:]))))
"""
PUBLISHED = """
import asyncio, os, sys, nats
def of(name):
    return open("/var/run/secrets/parpour/bus/" + name).read()
async def main():
    client = await nats.connect(
        os.environ["PARPOUR_WORKER_NATS_URL"], user=of("user"), password=of("password"), inbox_prefix="_INBOX_relay"
    )
    info = await client.jetstream().stream_info("PARPOUR_EVENTS", subjects_filter=sys.argv[1])
    print(*sorted(info.state.subjects or ()), sep="\\n")
    await client.close()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def treasury(release: Release) -> Iterator[Treasury]:
    with installed(release) as treasury:
        yield treasury


@pytest.fixture(scope="module")
def tenant(treasury: Treasury) -> Iterator[str]:
    """A Venture of three dollars; its tenant."""
    release = treasury.release
    owners = [{"subject": name, "person": name} for name in ("ann", "bob")]
    spec = {"displayName": "Acme", "owners": owners, "budget": {"amount": "3.00", "currency": "USD"}}
    spec["deletionPolicy"] = "Delete"
    kind = {"apiVersion": "parpour.dev/v1alpha1", "kind": "Venture"}
    release.apply({**kind, "metadata": {"name": VENTURE}, "spec": spec})
    release.kubectl("wait", f"venture/{VENTURE}", "--for=condition=Ready", "--timeout=90s")
    yield json.loads(release.kubectl("get", "venture", VENTURE, "--output", "json"))["metadata"]["uid"]
    release.kubectl("delete", "simulations", "--all", "--namespace", VENTURE, "--timeout=120s")
    release.kubectl("delete", "venture", VENTURE, "--timeout=60s")


def priced(name: str, amount: str, **more: Any) -> Draft:
    """A Simulation of the Venture that may cost so much."""
    one = draft(name, budget={"amount": amount, "currency": "USD"}, **more)
    return Draft(one.name, one.spec, namespace=VENTURE)


def funded(release: Release, one: Draft, reason: str, *, seconds: float = 60) -> Object:
    """Wait until the condition Funded has a reason; the Simulation."""

    def look() -> Object | None:
        found = read(release, one)
        return found if condition(found, "Funded").get("reason") == reason else None

    return until(look, what=f"{one.name} to be {reason}", seconds=seconds)


def spent(treasury: Treasury, tenant: str) -> Decimal:
    """What was spent of the venture's budget, while nothing is reserved of it."""
    (envelope,) = treasury.ask(tenant, BOOKS)["envelopes"]["nodes"]
    assert Decimal(envelope["reserved"]["amount"]) == 0
    return Decimal(envelope["spent"]["amount"])


def test_helm_test_passes_under_the_restricted_standard(treasury: Treasury) -> None:
    text = treasury.release.cluster.helm("test", RELEASE, "--namespace", NAMESPACE, "--logs")
    for part in ("operator", "treasury", "bus", "store"):
        assert f"ok    {part}" in text


def examined(treasury: Treasury) -> dict[str, Object]:
    """What doctor finds, by check."""
    command, environment = [PARPOUR, "doctor", "--json"], treasury.release.cluster.environment()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return {one["check"]: one for one in json.loads(done.stdout)}


def test_doctor_finds_every_part_ready_nothing_waiting_and_nothing_locked(treasury: Treasury) -> None:
    found = examined(treasury)
    parts = ("api", "internal", "payments", "postgres", "relay", "sealer", "sweeper")
    assert found["treasury"]["detail"] == "ready: " + ", ".join(f"parpour-{part}" for part in parts)
    about = ("treasury", "treasury's database", "sealed events", "payments")
    assert {check: found[check]["outcome"] for check in about} == dict.fromkeys(about, "ok"), found


def test_a_simulation_over_the_budget_is_refused_with_its_reason_and_no_pod(treasury: Treasury, tenant: str) -> None:
    release, one = treasury.release, priced("over", "5.00")
    release.apply(one.manifest())
    refused = condition(funded(release, one, "TreasuryEnvelopeExceeded"), "Funded")
    assert refused["status"] == "False"
    listed = release.kubectl("get", "jobs,pods", "--namespace", VENTURE, "--output", "name").split()
    assert [name for name in listed if "over" in name] == []
    books = treasury.ask(tenant, BOOKS)
    assert {(one["state"], one["code"]) for one in books["spends"]["nodes"]} == {
        ("REFUSED", "TREASURY_ENVELOPE_EXCEEDED")
    }
    assert spent(treasury, tenant) == 0
    release.kubectl("delete", "simulation", "over", "--namespace", VENTURE, "--timeout=60s")


def test_a_simulation_within_the_budget_settles_to_what_it_cost_for_all_to_read(
    treasury: Treasury, tenant: str
) -> None:
    release, one = treasury.release, priced("within", "2.50")
    before = spent(treasury, tenant)
    release.apply(one.manifest())
    assert complete(release, one)["members"] == 6
    cost = funded(release, one, "Settled")["status"]["cost"]
    charged = Decimal(cost["charged"])
    assert 0 < charged < Decimal(cost["reserved"]) == Decimal("2.50")
    assert cost["measured"] is True
    assert spent(treasury, tenant) == before + charged
    books = treasury.ask(tenant, BOOKS)
    settled = [one for one in books["spends"]["nodes"] if one["state"] == "SETTLED"]
    assert Decimal(settled[-1]["settled"]["amount"]) == charged
    assert settled[-1]["actor"] == "agent:parpour-operator"
    _sealed_and_published(treasury, tenant)


def _sealed_and_published(treasury: Treasury, tenant: str) -> None:
    """An event has a position once it is sealed; what is published stands in the stream."""

    def settled() -> Object | None:
        events = treasury.ask(tenant, BOOKS)["events"]["nodes"]
        return next((one for one in events if one["type"] == "treasury.spend.settled"), None)

    event = until(settled, what="the settlement to be sealed")
    assert int(event["position"]) > 0
    filtered = f"parpour.events.{tenant}.>"

    def published() -> bool | None:
        found = treasury.inside("deployment/parpour-relay", "python", "-c", PUBLISHED, filtered).split()
        return f"parpour.events.{tenant}.treasury.spend.settled" in found or None

    until(published, what="the settlement to be published")
    kept = treasury.inside("statefulset/parpour-sealer", "find", f"/data/checkpoints/{tenant}", "-type", "f")
    assert kept.split()


def test_an_audit_of_the_history_verifies_far_from_the_cluster(treasury: Treasury, tenant: str, tmp_path: Path) -> None:
    """Checkpoints come from the sealer's volume, the rest from the database, the key from its Secret."""
    kept = treasury.inside("statefulset/parpour-sealer", "sh", "-c", "tar c -C /data checkpoints | base64")
    write = (
        f"base64 -d | tar x -C /tmp && python -m parpour_api.handing {tenant} --database $PARPOUR_API_DATABASE "
        "--password-file $PARPOUR_API_DATABASE_PASSWORD_FILE --context-key-file $PARPOUR_API_CONTEXT_KEY_FILE "
        "--checkpoints /tmp/checkpoints --folder /tmp/audit >&2 && tar c -C /tmp audit | base64 && rm -r /tmp/audit"
    )
    audit = base64.b64decode(treasury.inside("deployment/parpour-api", "sh", "-c", write, stdin=kept))
    with tarfile.open(fileobj=io.BytesIO(audit)) as archive:
        archive.extractall(tmp_path, filter="data")
    secret = treasury.release.get("secret", "parpour-signing", namespace=NAMESPACE)
    assert secret is not None
    signing = load_pem_private_key(base64.b64decode(secret["data"]["signing-1.pem"]), password=None)
    public = signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    (tmp_path / "signing.pub").write_text(public.hex())
    command = [PARPOUR, "treasury", "verify", str(tmp_path / "audit"), "--key", str(tmp_path / "signing.pub")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_administrator_can_ask_which_histories_a_restore_has_set_back(treasury: Treasury, tenant: str) -> None:
    """The sealer's pod has what resuming one takes; of a database that nobody restored there is nothing to resume."""
    resuming = ("statefulset/parpour-sealer", "python", "-m", "parpour_api.resuming", "--dry-run")
    assert treasury.inside(*resuming, "--all-behind").strip() == "no tenant is behind what was signed"
    with pytest.raises(AssertionError, match="HISTORY_NOT_BEHIND"):
        treasury.inside(*resuming, "--tenant", tenant)


def code_of(answer: Object) -> str:
    """The code of an answer that is refused."""
    assert "data" not in answer or answer["data"] is None, answer
    code: str = answer["errors"][0]["extensions"]["code"]
    return code


def test_another_tenant_reads_nothing_of_it(treasury: Treasury, tenant: str) -> None:
    stranger = "00000000-0000-4000-8000-000000000001"
    assert tenant not in json.dumps(treasury.answer(stranger, BOOKS))
    # The tenant comes from the token, and what a token may read from its roles.
    assert code_of(treasury.answer(stranger, "{ envelopes { nodes { code } } }")) == "TREASURY_MEMBER_UNKNOWN"
    assert code_of(treasury.answer(tenant, BOOKS, roles=("agent",))) == "API_FORBIDDEN"


def test_nothing_begins_while_the_treasury_is_away_and_an_operator_that_dies_settles_what_runs(
    treasury: Treasury, tenant: str
) -> None:
    release, one = treasury.release, priced("disturbed", "1.00", scenario=LARGER, members=2)
    before = spent(treasury, tenant)
    _scale(release, "parpour-internal", 0)
    try:
        release.apply(one.manifest())
        assert condition(funded(release, one, "TreasuryUnavailable"), "Funded")["status"] == "Unknown"
        assert not release.list_of("jobs", namespace=VENTURE, selector="parpour.dev/simulation=disturbed")
        found = examined(treasury)["treasury"]
        assert (found["outcome"], found["detail"]) == ("fail", "not ready: parpour-internal")
    finally:
        _scale(release, "parpour-internal", 1)
    wait_for_ticks(release, one)
    killed = ("--selector", "app.kubernetes.io/component=operator", "--grace-period=0", "--force")
    release.kubectl("delete", "pods", "--namespace", NAMESPACE, *killed)
    complete(release, one, seconds=180)
    cost = funded(release, one, "Settled")["status"]["cost"]
    assert spent(treasury, tenant) == before + Decimal(cost["charged"])


def _scale(release: Release, deployment: str, replicas: int) -> None:
    release.kubectl("scale", f"deployment/{deployment}", "--namespace", NAMESPACE, f"--replicas={replicas}")
    release.wait_rolled_out(f"deployment/{deployment}")
    if not replicas:
        gone = ("wait", "pods", "--namespace", NAMESPACE, "--for=delete", "--timeout=60s")
        release.kubectl(*gone, "--selector", f"app.kubernetes.io/component={deployment.removeprefix('parpour-')}")


def test_the_operator_may_fill_a_ventures_namespace_and_read_no_secret(treasury: Treasury, tenant: str) -> None:
    def may(verb: str, what: str) -> bool:
        asked = ("auth", "can-i", verb, what, "--as", OPERATOR, "--namespace", VENTURE)
        try:
            return treasury.release.kubectl(*asked).strip() == "yes"
        except AssertionError:
            return False

    assert may("patch", "secrets/parpour-store")
    assert may("patch", "secrets/parpour-bus")
    assert not may("patch", "secrets/another")
    assert not any(may(verb, "secrets/parpour-store") for verb in ("get", "list", "delete"))
    assert not any(may(verb, "secrets") for verb in ("get", "list", "watch", "create", "patch"))
    labels = json.loads(treasury.release.kubectl("get", "namespace", VENTURE, "--output", "json"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_each_part_reaches_what_it_needs_and_nothing_else(treasury: Treasury) -> None:
    places = ("parpour-postgres:5432", "parpour-nats:4222", "parpour-internal:8443", "kubernetes.default.svc:443")
    expected = {
        "deployment/parpour-sweeper": [True, False, False, False],
        "deployment/parpour-relay": [True, True, False, False],
        "deployment/parpour-internal": [True, False, True, True],  # the third is itself
        "deployment/parpour-operator": [False, True, True, True],
    }
    for workload, reached in expected.items():
        text = treasury.inside(workload, "python", "-c", REACH, *places)
        assert json.loads(text) == reached, workload
