"""From pods, namespaces and policies to what each pod's guards let through, and from there to iptables' rules.

Pure. Rules stand in the mangle table because kube-proxy's own rules, which accept what they have handled, come first in
the filter table whenever kube-proxy starts later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from parpour_devcluster.netpolicy.model import Labels, Peer, Pod, Policy, Port, Problem, Rule

EVERYWHERE = IPv4Network("0.0.0.0/0")
FORWARD_CHAIN, NODE_CHAIN, FROM_CHAIN, TO_CHAIN = "PNP-FORWARD", "PNP-NODE", "PNP-FROM", "PNP-TO"


@dataclass(frozen=True, order=True)
class Allowance:
    """Connections that a guard lets through.

    Args:
        network: where the other side is.
        protocol: `TCP` or `UDP`; empty for every protocol.
        first: lowest destination port; 0 for every port.
        last: highest destination port; 0 for every port.
    """

    network: IPv4Network
    protocol: str = ""
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Guards:
    """What may reach a pod and what it may reach; None means that no policy isolates it in that direction."""

    pod: Pod
    ingress: frozenset[Allowance] | None
    egress: frozenset[Allowance] | None


@dataclass(frozen=True)
class Plan:
    """The guards of every pod, by address, and what could not be enforced as written."""

    guards: tuple[Guards, ...]
    problems: tuple[Problem, ...]


def plan(pods: Sequence[Pod], namespaces: Mapping[str, Labels], policies: Sequence[Policy]) -> Plan:
    """Decides what each pod's guards let through.

    Args:
        pods: every pod on the pods' network.
        namespaces: labels of every namespace.
        policies: every policy.
    """
    guards = []
    for pod in sorted(pods, key=lambda pod: pod.address):
        selecting = [
            policy for policy in policies if policy.namespace == pod.namespace and policy.selector.matches(pod.labels)
        ]
        incoming = [policy for policy in selecting if policy.ingress is not None]
        outgoing = [policy for policy in selecting if policy.egress is not None]
        ingress = frozenset(
            allowance
            for policy in incoming
            for rule in policy.ingress or ()
            for allowance in _ingress(rule, pod, policy.namespace, pods, namespaces)
        )
        egress = frozenset(
            allowance
            for policy in outgoing
            for rule in policy.egress or ()
            for allowance in _egress(rule, policy.namespace, pods, namespaces)
        )
        guards.append(Guards(pod, ingress if incoming else None, egress if outgoing else None))
    problems = tuple(problem for policy in policies for problem in policy.problems)
    return Plan(tuple(guards), problems)


def _networks(
    peers: tuple[Peer, ...] | None, own: str, pods: Sequence[Pod], namespaces: Mapping[str, Labels]
) -> set[IPv4Network]:
    if peers is None:
        return {EVERYWHERE}
    found: set[IPv4Network] = set()
    for peer in peers:
        if peer.networks is not None:
            found.update(peer.networks)
            continue
        for pod in pods:
            if peer.namespaces is None:
                in_namespace = pod.namespace == own
            else:
                labels = namespaces.get(pod.namespace)  # a namespace not seen yet matches nothing
                in_namespace = labels is not None and peer.namespaces.matches(labels)
            if in_namespace and peer.pods.matches(pod.labels):
                found.add(IPv4Network(pod.address))
    return found


def _ingress(
    rule: Rule, pod: Pod, own: str, pods: Sequence[Pod], namespaces: Mapping[str, Labels]
) -> Iterator[Allowance]:
    for network in _networks(rule.peers, own, pods, namespaces):
        if rule.ports is None:
            yield Allowance(network)
        for port in rule.ports or ():
            yield from _to_port(port, network, pod)


def _egress(rule: Rule, own: str, pods: Sequence[Pod], namespaces: Mapping[str, Labels]) -> Iterator[Allowance]:
    for network in _networks(rule.peers, own, pods, namespaces):
        if rule.ports is None:
            yield Allowance(network)
        for port in rule.ports or ():
            if port.name is None:
                yield from _to_port(port, network, None)
                continue
            for pod in pods:  # a name means what the pod at the other end calls so
                if pod.address in network:
                    yield from _to_port(port, IPv4Network(pod.address), pod)


def _to_port(port: Port, network: IPv4Network, listener: Pod | None) -> Iterator[Allowance]:
    if port.name is not None:
        for named in listener.ports if listener else ():
            if named.name == port.name and named.protocol == port.protocol:
                yield Allowance(network, port.protocol, named.number, named.number)
    else:
        yield Allowance(network, port.protocol, port.first or 0, port.last or 0)


def chain_name(direction: str, pod: Pod) -> str:
    """The chain of a pod's guard; iptables allows 28 characters."""
    return f"PNP-{direction}-{hashlib.sha256(pod.uid.encode()).hexdigest()[:16]}"


def render(planned: Plan, *, pod_range: IPv4Network, node: IPv4Address, stale: frozenset[str] = frozenset()) -> str:
    """The input of `iptables-restore --noflush` that makes a plan hold.

    Args:
        planned: the guards.
        pod_range: addresses of pods; one of them that no pod is known to have is dropped.
        node: the node's address inside that range, whose own connections are never touched.
        stale: our chains that are there and no longer needed.
    """
    chains = [FORWARD_CHAIN, NODE_CHAIN, FROM_CHAIN, TO_CHAIN]
    established = "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
    rules = [
        f"-A {FORWARD_CHAIN} {established}",
        f"-A {FORWARD_CHAIN} -s {pod_range} -j {FROM_CHAIN}",
        f"-A {FORWARD_CHAIN} -d {pod_range} -j {TO_CHAIN}",
        f"-A {NODE_CHAIN} {established}",
        f"-A {NODE_CHAIN} -s {pod_range} -j {FROM_CHAIN}",
        f"-A {FROM_CHAIN} -s {node} -j RETURN",
        f"-A {TO_CHAIN} -d {node} -j RETURN",
    ]
    for guards in planned.guards:
        pod = guards.pod
        for flag, other, direction, chain, allowances in (
            ("-s", "-d", "E", FROM_CHAIN, guards.egress),
            ("-d", "-s", "I", TO_CHAIN, guards.ingress),
        ):
            if allowances is None:
                rules.append(f"-A {chain} {flag} {pod.address} -j RETURN")
                continue
            own = chain_name(direction, pod)
            chains.append(own)
            # goto: a RETURN in the guard's chain leaves FROM or TO as well, past their closing DROP
            rules.append(f"-A {chain} {flag} {pod.address} -g {own}")
            rules.append(f"-A {own} {other} {pod.address} -j RETURN")  # a pod always reaches itself
            rules += [f"-A {own} {_matches(allowance, other)}-j RETURN" for allowance in sorted(allowances)]
            rules.append(f"-A {own} -j DROP")
    rules += [f"-A {FROM_CHAIN} -j DROP", f"-A {TO_CHAIN} -j DROP"]
    gone = sorted(stale - set(chains))
    lines = ["*mangle", *(f":{chain} - [0:0]" for chain in (*chains, *gone)), *rules]
    lines += [*(f"-X {chain}" for chain in gone), "COMMIT"]
    return "\n".join(lines) + "\n"


def guard_chains(planned: Plan) -> frozenset[str]:
    """The chains of a plan's guards."""
    return frozenset(
        chain_name(direction, guards.pod)
        for guards in planned.guards
        for direction, allowances in (("E", guards.egress), ("I", guards.ingress))
        if allowances is not None
    )


def _matches(allowance: Allowance, flag: str) -> str:
    where = "" if allowance.network == EVERYWHERE else f"{flag} {allowance.network} "
    if not allowance.protocol:
        return where
    protocol = allowance.protocol.lower()
    if not allowance.first:
        return f"{where}-p {protocol} "
    return f"{where}-p {protocol} -m {protocol} --dport {allowance.first}:{allowance.last} "
