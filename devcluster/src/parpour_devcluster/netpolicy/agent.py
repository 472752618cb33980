"""The enforcer's shell: watches the API, answers the policy gate, and hands the planner's rules to iptables.

The gate's plug-in is answered only when the rules that know its pod are in the kernel; that is what makes a pod guarded
from its first packet, and what keeps pods from starting while the enforcer is not there.
"""

from __future__ import annotations

import json
import logging
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from parpour_devcluster.api import KubernetesClient, WatchExpiredError
from parpour_devcluster.netpolicy.model import Labels, Pod, Policy, Problem, parse_pod, parse_policy
from parpour_devcluster.netpolicy.plan import FORWARD_CHAIN, NODE_CHAIN, Plan, guard_chains, plan, render

LOG = logging.getLogger("network-policy")
COLLECTIONS = {
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
}
GATE_PATIENCE = 15.0
"""Seconds that a starting pod waits to be guarded before its start counts as failed; the kubelet then tries again."""
_SETTLE = 0.02
_RETRY = 0.5
Document = dict[str, Any]


@dataclass
class Cluster:
    """What has been seen of the cluster, and how far it has been put into the kernel.

    Args:
        objects: the API's objects by collection and uid.
        addresses: address by pod uid, as the gate announced it.
        listed: collections that have been listed at least once.
        seen: counts changes.
        enforced: the value of `seen` that the kernel's rules stand for.
    """

    objects: dict[str, dict[str, Document]] = field(default_factory=lambda: {name: {} for name in COLLECTIONS})
    addresses: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    seen: int = 0
    enforced: int = -1

    def inputs(self) -> tuple[list[Pod], dict[str, Labels], list[Policy]]:
        """The planner's inputs; of two pods with one address, the one that the gate announced counts."""
        by_address: dict[IPv4Address, Pod] = {}
        documents = sorted(self.objects["pods"].items(), key=lambda item: item[0] in self.addresses)
        for uid, document in documents:
            pod = parse_pod(document, address=self.addresses.get(uid))
            if pod is not None:
                by_address[pod.address] = pod
        namespaces: dict[str, Labels] = {
            document["metadata"]["name"]: dict(document["metadata"].get("labels") or {})
            for document in self.objects["namespaces"].values()
        }
        policies = [parse_policy(document) for document in self.objects["policies"].values()]
        return list(by_address.values()), namespaces, policies


class Agent:
    """Keeps the kernel's rules equal to the plan.

    Args:
        client: speaks to the API server.
        pod_range: addresses of pods.
        restore: takes the input of `iptables-restore --noflush`; raises OSError when the kernel refuses it.
    """

    def __init__(self, client: KubernetesClient, *, pod_range: IPv4Network, restore: Callable[[str], None]) -> None:
        self._client = client
        self._range = pod_range
        self._restore = restore
        self._cluster = Cluster()
        self._changed = threading.Condition()
        self._chains: frozenset[str] = frozenset()
        self._rules = ""
        self._reported: set[Problem] = set()

    def run(self) -> None:
        """Watches and enforces; does not return."""
        for name in COLLECTIONS:
            threading.Thread(target=self._follow, args=(name,), daemon=True).start()
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
            time.sleep(_SETTLE)  # a burst of changes becomes one plan
            try:
                self._enforce()
            except OSError as error:
                LOG.error("the kernel refused the rules, trying again: %s", error)
                time.sleep(_RETRY)

    def _has_work(self) -> bool:
        return self._cluster.listed == set(COLLECTIONS) and self._cluster.enforced != self._cluster.seen

    def _enforce(self) -> None:
        with self._changed:
            seen = self._cluster.seen
            planned = plan(*self._cluster.inputs())
        rules = render(planned, pod_range=self._range, node=self._range[1])
        if rules != self._rules:
            self._restore(render(planned, pod_range=self._range, node=self._range[1], stale=self._chains))
            self._rules, self._chains = rules, guard_chains(planned)
        with self._changed:
            self._cluster.enforced = seen
            self._changed.notify_all()
        self._report(planned)

    def wait_until_guarded(self, report: Document) -> str:
        """Notes the address of a starting pod and waits until the kernel's rules know it.

        Returns:
            Why the pod must not start; empty if it may.
        """
        uid, deadline = report.get("uid", ""), time.monotonic() + GATE_PATIENCE
        with self._changed:
            known = self._changed.wait_for(lambda: uid in self._cluster.objects["pods"], GATE_PATIENCE)
            if not known:
                return f"the API server has shown no pod of uid {uid}"
            self._cluster.addresses[uid] = str(IPv4Address(report["address"]))
            self._cluster.seen += 1
            wanted = self._cluster.seen
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: self._cluster.enforced >= wanted, max(0.0, deadline - time.monotonic())
            )
        return "" if done else "its rules could not be put into the kernel in time"

    def _follow(self, name: str) -> None:
        """Lists and watches one collection for ever."""
        while True:
            try:
                status, answer = self._client.request("GET", COLLECTIONS[name])
                if status != 200:
                    raise ConnectionError(f"list {name}: HTTP {status} {answer.get('message', '')}")
                listed = {item["metadata"]["uid"]: item for item in answer["items"]}
                self._note(name, lambda objects, listed=listed: (objects.clear(), objects.update(listed)))  # type: ignore[misc]
                version = answer["metadata"]["resourceVersion"]
                while True:
                    version = self._follow_from(name, version)
            except WatchExpiredError:
                continue
            except OSError as error:
                LOG.warning("watching %s: %s", name, error)
                time.sleep(_RETRY)

    def _follow_from(self, name: str, version: str) -> str:
        for event in self._client.watch(COLLECTIONS[name], version=version):
            document = event["object"]
            version = document["metadata"]["resourceVersion"]
            if event["type"] == "DELETED":
                self._note(name, lambda objects, uid=document["metadata"]["uid"]: objects.pop(uid, None))  # type: ignore[misc]
            elif event["type"] != "BOOKMARK":
                self._note(name, lambda objects, document=document: _store(objects, document))  # type: ignore[misc]
        return version

    def _note(self, name: str, change: Callable[[dict[str, Document]], object]) -> None:
        with self._changed:
            change(self._cluster.objects[name])
            if name == "pods":
                pods = self._cluster.objects["pods"]
                self._cluster.addresses = {u: a for u, a in self._cluster.addresses.items() if u in pods}
            self._cluster.listed.add(name)
            self._cluster.seen += 1
            self._changed.notify_all()

    def _report(self, planned: Plan) -> None:
        """Says once, in the log and as an event on the policy, what is denied for want of understanding."""
        for problem in set(planned.problems) - self._reported:
            LOG.warning("%s/%s: %s", problem.namespace, problem.policy, problem.message)
            try:
                self._client.request("POST", f"/api/v1/namespaces/{problem.namespace}/events", _event(problem))
            except OSError as error:
                LOG.warning("the event could not be written: %s", error)
        self._reported = set(planned.problems)


def _store(objects: dict[str, Document], document: Document) -> None:
    document["metadata"].pop("managedFields", None)
    objects[document["metadata"]["uid"]] = document


def _event(problem: Problem) -> Document:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    policy = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{problem.policy}-", "namespace": problem.namespace},
        "involvedObject": policy | {"namespace": problem.namespace, "name": problem.policy, "uid": problem.uid},
        "type": "Warning",
        "reason": "NotEnforced",
        "message": f"Denied: {problem.message}",
        "source": {"component": "network-policy"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def iptables_restore(rules: str) -> None:
    """Puts rules into the kernel, all or none, and leaves other chains alone.

    Raises:
        OSError: the kernel refused.
    """
    done = subprocess.run(["iptables-restore", "--noflush", "--wait", "5"], input=rules, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())


def hook(*, pod_range: IPv4Network) -> None:
    """Sends what is forwarded, and what pods say to the node, through our chains, which at first let nothing pass.

    Raises:
        OSError: the kernel refused.
    """
    saved = subprocess.run(["iptables-save", "-t", "mangle"], capture_output=True, text=True, check=True).stdout
    left = frozenset(line[1:].split()[0] for line in saved.splitlines() if line.startswith(":PNP-"))
    iptables_restore(render(Plan((), ()), pod_range=pod_range, node=pod_range[1], stale=left))
    jumps = [f"-A FORWARD -j {FORWARD_CHAIN}", f"-A INPUT -j {NODE_CHAIN}"]
    missing = [jump for jump in jumps if jump not in saved.splitlines()]
    iptables_restore("\n".join(["*mangle", *missing, "COMMIT", ""]))


class _Gate(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def serve_gate(agent: Agent, path: Path) -> None:
    """Answers the policy gate's plug-in on a Unix socket, in threads of its own."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline(65536)
            if not line:
                return  # a health probe
            try:
                problem = agent.wait_until_guarded(json.loads(line))
            except (ValueError, KeyError) as error:
                problem = f"the gate's message is not understood: {error}"
            self.wfile.write(json.dumps({"error": problem}).encode() + b"\n")

    path.unlink(missing_ok=True)
    server = _Gate(str(path), Handler)
    path.chmod(0o600)
    threading.Thread(target=server.serve_forever, daemon=True).start()
