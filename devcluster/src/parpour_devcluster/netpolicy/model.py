"""Pods, policies and selectors as the planner sees them, read from the API's objects.

A part of a policy that is not understood becomes a Problem beside the policy rather than an exception, because the rest
of the policy still has to deny what it denies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

Labels = Mapping[str, str]
Document = Mapping[str, Any]
PROTOCOLS = ("TCP", "UDP")


@dataclass(frozen=True)
class NamedPort:
    """A container port with a name: what a policy's named port resolves to."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True)
class Pod:
    """A pod on the pods' network.

    Args:
        namespace: its namespace.
        name: its name.
        uid: its identifier, by which its chains are named.
        address: its IPv4 address.
        labels: its labels.
        ports: its containers' named ports.
    """

    namespace: str
    name: str
    uid: str
    address: IPv4Address
    labels: Labels = field(default_factory=dict)
    ports: tuple[NamedPort, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """One expression of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether labels fulfil it; a NotIn is fulfilled by a missing label too, as in Kubernetes."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return self.key not in labels or labels[self.key] not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        raise ValueError(self.operator)  # parse_selector lets no other through


@dataclass(frozen=True)
class Selector:
    """A label selector; without requirements it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether labels fulfil every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)


@dataclass(frozen=True)
class Peer:
    """Who may connect, or be connected to.

    Args:
        namespaces: selector of namespaces; None means the policy's own.
        pods: selector of pods in those namespaces.
        networks: address ranges instead of pods; None where pods are meant.
    """

    namespaces: Selector | None = None
    pods: Selector = Selector()
    networks: tuple[IPv4Network, ...] | None = None


@dataclass(frozen=True)
class Port:
    """Which ports of a protocol: a number, a range of them, a name, or (with all three absent) every port."""

    protocol: str
    first: int | None = None
    last: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Rule:
    """One allowance. None means no restriction; an empty tuple, that nothing of what was written is understood."""

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None


@dataclass(frozen=True)
class Problem:
    """A part of a policy that is not enforced as written, and therefore denied.

    Args:
        namespace: of the policy.
        policy: its name.
        uid: its identifier.
        message: names the field and the remedy.
    """

    namespace: str
    policy: str
    uid: str
    message: str


@dataclass(frozen=True)
class Policy:
    """A NetworkPolicy.

    Args:
        namespace: its namespace.
        name: its name.
        selector: the pods that it isolates.
        ingress: rules for connections to those pods; None where it says nothing about them.
        egress: rules for connections from those pods; None where it says nothing about them.
        problems: what of it is denied for want of understanding.
    """

    namespace: str
    name: str
    selector: Selector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None
    problems: tuple[Problem, ...] = ()


class UnsupportedError(Exception):
    """A field holds something that is not enforced; the message names field and remedy."""


def parse_pod(document: Document, *, address: str | None) -> Pod | None:
    """Reads a pod.

    Args:
        document: the API's object.
        address: what the network gave it, where known before its status says so.

    Returns:
        None for a pod that has ended, has no address yet, or uses the node's network.
    """
    spec, status, metadata = document.get("spec", {}), document.get("status", {}), document["metadata"]
    known = address or status.get("podIP")
    if spec.get("hostNetwork") or status.get("phase") in {"Succeeded", "Failed"} or not known:
        return None
    containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    ports = tuple(
        NamedPort(port["name"], port.get("protocol", "TCP"), port["containerPort"])
        for container in containers
        for port in container.get("ports", ())
        if port.get("name")
    )
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        address=IPv4Address(known),
        labels=dict(metadata.get("labels") or {}),
        ports=ports,
    )


def parse_policy(document: Document) -> Policy:
    """Reads a NetworkPolicy; what is not understood in it allows nothing and is listed in its problems."""
    metadata, spec = document["metadata"], document.get("spec", {})
    reader = _Reader()
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for index, kind in enumerate(types):
        if kind not in {"Ingress", "Egress"}:
            reader.report(f"spec.policyTypes[{index}]: '{kind}' is not enforced here; use Ingress or Egress")
    try:
        selector = parse_selector(spec.get("podSelector"), "spec.podSelector")
    except UnsupportedError as error:
        reader.report(f"{error}; until then every pod of the namespace is isolated")
        selector = Selector()
    ingress = reader.rules(spec, "ingress", "from") if "Ingress" in types else None
    egress = reader.rules(spec, "egress", "to") if "Egress" in types else None
    namespace, name, uid = metadata["namespace"], metadata["name"], metadata.get("uid", "")
    problems = tuple(Problem(namespace, name, uid, message) for message in reader.messages)
    return Policy(namespace, name, selector, ingress, egress, problems)


def parse_selector(document: Document | None, path: str) -> Selector:
    """Reads a label selector.

    Raises:
        UnsupportedError: an operator is unknown.
    """
    document = document or {}
    requirements = [Requirement(key, "In", (value,)) for key, value in (document.get("matchLabels") or {}).items()]
    for index, expression in enumerate(document.get("matchExpressions") or ()):
        if expression["operator"] not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            raise UnsupportedError(
                f"{path}.matchExpressions[{index}].operator: '{expression['operator']}' is not enforced here; "
                "use In, NotIn, Exists or DoesNotExist"
            )
        values = tuple(expression.get("values") or ())
        requirements.append(Requirement(expression["key"], expression["operator"], values))
    return Selector(tuple(requirements))


class _Reader:
    """Reads the rules of one policy and collects what it did not understand."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def report(self, message: str) -> None:
        self.messages.append(message)

    def rules(self, spec: Document, direction: str, side: str) -> tuple[Rule, ...]:
        read = []
        for index, document in enumerate(spec.get(direction) or ()):
            path = f"spec.{direction}[{index}]"
            listed_peers, listed_ports = document.get(side), document.get("ports")
            peers = self._each(listed_peers, f"{path}.{side}", _parse_peer) if listed_peers else None
            ports = self._each(listed_ports, f"{path}.ports", _parse_port) if listed_ports else None
            read.append(Rule(peers, ports))
        return tuple(read)

    def _each(self, documents: list[Document], path: str, parse: Any) -> tuple[Any, ...]:
        read = []
        for index, document in enumerate(documents):
            try:
                read.append(parse(document, f"{path}[{index}]"))
            except UnsupportedError as error:
                self.report(str(error))
        return tuple(read)


def _parse_peer(document: Document, path: str) -> Peer:
    unknown = set(document) - {"podSelector", "namespaceSelector", "ipBlock"}
    if unknown:
        raise UnsupportedError(
            f"{path}.{min(unknown)}: not enforced here; use podSelector, namespaceSelector or ipBlock"
        )
    if "ipBlock" in document:
        return Peer(networks=_parse_block(document["ipBlock"], f"{path}.ipBlock"))
    namespaces = document.get("namespaceSelector")
    return Peer(
        namespaces=None if namespaces is None else parse_selector(namespaces, f"{path}.namespaceSelector"),
        pods=parse_selector(document.get("podSelector"), f"{path}.podSelector"),
    )


def _parse_block(document: Document, path: str) -> tuple[IPv4Network, ...]:
    """The ranges that remain of `cidr` when each of `except` is taken out."""
    remaining = [_parse_network(document["cidr"], f"{path}.cidr")]
    for index, text in enumerate(document.get("except") or ()):
        removed = _parse_network(text, f"{path}.except[{index}]")
        remaining = [part for network in remaining for part in _without(network, removed)]
    return tuple(sorted(remaining))


def _without(network: IPv4Network, removed: IPv4Network) -> list[IPv4Network]:
    if network.subnet_of(removed):
        return []
    return list(network.address_exclude(removed)) if removed.subnet_of(network) else [network]


def _parse_network(text: str, path: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise UnsupportedError(f"{path}: '{text}' is no IPv4 range, and the cluster has no other; write one") from error


def _parse_port(document: Document, path: str) -> Port:
    protocol = document.get("protocol", "TCP")
    if protocol not in PROTOCOLS:
        raise UnsupportedError(f"{path}.protocol: {protocol} is not enforced here; use TCP or UDP")
    port, last = document.get("port"), document.get("endPort")
    if isinstance(port, str):
        if last is not None:
            raise UnsupportedError(f"{path}.endPort: a range needs a number in 'port', not the name '{port}'")
        return Port(protocol, name=port)
    if port is None:
        return Port(protocol)
    return Port(protocol, first=port, last=port if last is None else last)
