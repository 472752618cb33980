"""The planner of network policies, against a reading of the specification that knows nothing of iptables."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_devcluster.netpolicy.model import NamedPort, Pod, Policy, parse_pod, parse_policy
from parpour_devcluster.netpolicy.plan import Guards, chain_name, guard_chains, plan, render

pytestmark = pytest.mark.unit

RANGE = IPv4Network("10.200.0.0/20")
NODE = RANGE[1]
NAMESPACES = {"a": {"team": "red"}, "b": {"team": "blue"}, "c": {}}


def pod(namespace: str, number: int, labels: dict[str, str] | None = None, ports: tuple[NamedPort, ...] = ()) -> Pod:
    return Pod(namespace, f"p{number}", f"uid-{number}", RANGE[10 + number], labels or {}, ports)


def policy(namespace: str, spec: dict[str, Any], name: str = "policy") -> Policy:
    return parse_policy({"metadata": {"namespace": namespace, "name": name, "uid": "u"}, "spec": spec})


def lets_through(guards: Guards, direction: str, other: IPv4Address, protocol: str, port: int) -> bool:
    allowances = guards.ingress if direction == "ingress" else guards.egress
    if allowances is None:
        return True
    return any(
        other in allowance.network
        and allowance.protocol in {"", protocol}
        and (allowance.first == 0 or allowance.first <= port <= allowance.last)
        for allowance in allowances
    )


def connects(pods: list[Pod], policies: list[Policy], source: Pod, target: Pod, protocol: str, port: int) -> bool:
    guards = {entry.pod.uid: entry for entry in plan(pods, NAMESPACES, policies).guards}
    leaves = lets_through(guards[source.uid], "egress", target.address, protocol, port)
    return leaves and lets_through(guards[target.uid], "ingress", source.address, protocol, port)


def test_a_pod_that_no_policy_selects_is_open() -> None:
    pods = [pod("a", 0), pod("a", 1)]
    assert connects(pods, [], pods[0], pods[1], "TCP", 80)


def test_a_policy_without_rules_closes_its_pods_in_its_directions_only() -> None:
    pods = [pod("a", 0), pod("a", 1)]
    closed = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"]})
    guards = plan(pods, NAMESPACES, [closed]).guards
    assert guards[0].ingress == frozenset()
    assert guards[0].egress is None


def test_rules_of_several_policies_add_up() -> None:
    pods = [pod("a", 0), pod("a", 1), pod("b", 2)]
    deny = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"]})
    allow = policy(
        "a",
        {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "blue"}}}], "ports": [{"port": 80}]}],
        },
    )
    assert connects(pods, [deny, allow], pods[2], pods[0], "TCP", 80)
    assert not connects(pods, [deny, allow], pods[2], pods[0], "UDP", 80)
    assert not connects(pods, [deny, allow], pods[2], pods[0], "TCP", 81)
    assert not connects(pods, [deny, allow], pods[1], pods[0], "TCP", 80)


def test_namespace_and_pod_selector_in_one_peer_must_both_match() -> None:
    pods = [pod("a", 0), pod("b", 1, {"app": "x"}), pod("b", 2), pod("c", 3, {"app": "x"})]
    peer = {"namespaceSelector": {"matchLabels": {"team": "blue"}}, "podSelector": {"matchLabels": {"app": "x"}}}
    only = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]})
    reached = [connects(pods, [only], source, pods[0], "TCP", 1) for source in pods[1:]]
    assert reached == [True, False, False]


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    pods = [pod("a", 0), pod("a", 1, {"app": "x"}), pod("b", 2, {"app": "x"})]
    peer = {"podSelector": {"matchLabels": {"app": "x"}}}
    only = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]})
    assert connects(pods, [only], pods[1], pods[0], "TCP", 1)
    assert not connects(pods, [only], pods[2], pods[0], "TCP", 1)


@pytest.mark.parametrize(
    ("expression", "labels", "expected"),
    [
        ({"key": "k", "operator": "In", "values": ["x", "y"]}, {"k": "y"}, True),
        ({"key": "k", "operator": "In", "values": ["x", "y"]}, {}, False),
        ({"key": "k", "operator": "NotIn", "values": ["x"]}, {}, True),
        ({"key": "k", "operator": "NotIn", "values": ["x"]}, {"k": "x"}, False),
        ({"key": "k", "operator": "Exists"}, {"k": ""}, True),
        ({"key": "k", "operator": "DoesNotExist"}, {"k": ""}, False),
    ],
)
def test_match_expressions_mean_what_kubernetes_says(
    expression: dict[str, Any], labels: dict[str, str], expected: bool
) -> None:
    selecting = policy("a", {"podSelector": {"matchExpressions": [expression]}, "policyTypes": ["Ingress"]})
    guards = plan([pod("a", 0, labels)], NAMESPACES, [selecting]).guards
    assert (guards[0].ingress is not None) is expected


def test_a_named_port_is_resolved_by_the_pod_that_listens() -> None:
    listener = pod("a", 0, ports=(NamedPort("http", "TCP", 8080),))
    client = pod("a", 1)
    incoming = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": "http"}]}]})
    outgoing = policy("a", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]})
    assert connects([listener, client], [incoming, outgoing], client, listener, "TCP", 8080)
    assert not connects([listener, client], [incoming, outgoing], client, listener, "TCP", 80)
    assert not connects([listener, client], [incoming], listener, client, "TCP", 8080)


def test_an_end_port_makes_a_range_with_both_ends_in_it() -> None:
    pods = [pod("a", 0), pod("a", 1)]
    ports = [{"port": 8000, "endPort": 8002, "protocol": "UDP"}]
    ranged = policy("a", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": ports}]})
    reached = [port for port in range(7998, 8006) if connects(pods, [ranged], pods[0], pods[1], "UDP", port)]
    assert reached == [8000, 8001, 8002]


@given(st.integers(0, 2**32 - 1), st.integers(8, 30), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_an_ip_block_is_its_range_without_its_exceptions(base: int, prefix: int, deeper: int, probe: int) -> None:
    block = IPv4Network((base, prefix), strict=False)
    hole = IPv4Network((int(block[0]) | (probe & int(block.hostmask)), min(32, prefix + deeper)), strict=False)
    peer = {"ipBlock": {"cidr": str(block), "except": [str(hole)]}}
    only = policy("a", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer]}]})
    guards = plan([pod("a", 0)], NAMESPACES, [only]).guards[0]
    for address in {block[0], block[-1], hole[0], hole[-1], IPv4Address(probe), IPv4Address(int(hole[-1]) % 2**32)}:
        expected = address in block and address not in hole
        assert lets_through(guards, "egress", address, "TCP", 1) is expected


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"ingress": [{"ports": [{"protocol": "SCTP", "port": 1}]}]}, "spec.ingress[0].ports[0].protocol"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "fd00::/8"}}]}]}, "spec.ingress[0].from[0].ipBlock.cidr"),
        ({"ingress": [{"from": [{"serviceSelector": {}}]}]}, "spec.ingress[0].from[0].serviceSelector"),
        (
            {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "k", "operator": "Gt"}]}}]}]},
            "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator",
        ),
    ],
)
def test_what_is_not_understood_allows_nothing_and_names_the_field(spec: dict[str, Any], field: str) -> None:
    strange = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"], **spec})
    planned = plan([pod("a", 0), pod("a", 1)], NAMESPACES, [strange])
    assert planned.guards[0].ingress == frozenset()
    assert field in planned.problems[0].message


def test_pods_that_ended_or_use_the_nodes_network_are_no_peers() -> None:
    metadata = {"namespace": "a", "name": "p", "uid": "u"}
    assert parse_pod({"metadata": metadata, "status": {"podIP": "10.1.1.1", "phase": "Failed"}}, address=None) is None
    spec = {"hostNetwork": True}
    assert parse_pod({"metadata": metadata, "spec": spec, "status": {"podIP": "10.1.1.1"}}, address=None) is None
    assert parse_pod({"metadata": metadata, "status": {}}, address=None) is None
    announced = parse_pod({"metadata": metadata, "status": {}}, address="10.1.1.2")
    assert announced is not None
    assert announced.address == IPv4Address("10.1.1.2")


def walk(rules: str, chain: str, source: IPv4Address, target: IPv4Address, protocol: str, port: int) -> str:
    """Walks a new connection through rendered rules as the kernel would: 'RETURN' past the end, or 'DROP'."""
    for line in rules.splitlines():
        words = line.split()
        if words[:2] != ["-A", chain] or "conntrack" in words:
            continue
        options = dict(zip(words[2::2], words[3::2], strict=True))
        if "-s" in options and source not in IPv4Network(options["-s"]):
            continue
        if "-d" in options and target not in IPv4Network(options["-d"]):
            continue
        if "-p" in options and options["-p"] != protocol.lower():
            continue
        if "--dport" in options:
            first, last = map(int, options["--dport"].split(":"))
            if not first <= port <= last:
                continue
        if "-g" in options:
            return walk(rules, options["-g"], source, target, protocol, port)
        if options["-j"] in {"RETURN", "DROP"}:
            return options["-j"]
        if walk(rules, options["-j"], source, target, protocol, port) == "DROP":
            return "DROP"
    return "RETURN"


_LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]), max_size=2)
_SELECTORS = st.builds(lambda labels: {"matchLabels": labels}, _LABELS)
_PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, _SELECTORS),
    st.builds(lambda team: {"namespaceSelector": {"matchLabels": {"team": team}}}, st.sampled_from(["red", "blue"])),
    st.just({"ipBlock": {"cidr": "10.200.0.8/29", "except": ["10.200.0.12/32"]}}),
)
_PORTS = st.builds(
    lambda protocol, port: {"protocol": protocol, "port": port},
    st.sampled_from(["TCP", "UDP"]),
    st.sampled_from([80, 81]),
)


def _rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries({side: st.lists(_PEERS, max_size=2), "ports": st.lists(_PORTS, max_size=2)}), max_size=2
    )


_POLICIES = st.builds(
    lambda namespace, selector, ingress, egress, types: policy(
        namespace, {"podSelector": selector, "ingress": ingress, "egress": egress, "policyTypes": types}
    ),
    st.sampled_from(["a", "b"]),
    _SELECTORS,
    _rules("from"),
    _rules("to"),
    st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), _LABELS), min_size=2, max_size=5),
    st.lists(_POLICIES, max_size=3),
    st.sampled_from(["TCP", "UDP"]),
    st.sampled_from([80, 81]),
)
def test_the_rendered_rules_decide_as_the_plan_does(
    described: list[tuple[str, dict[str, str]]], policies: list[Policy], protocol: str, port: int
) -> None:
    pods = [pod(namespace, number, labels) for number, (namespace, labels) in enumerate(described)]
    rules = render(plan(pods, NAMESPACES, policies), pod_range=RANGE, node=NODE)
    for source in pods:
        for target in pods:
            if source is not target:
                verdict = walk(rules, "PNP-FORWARD", source.address, target.address, protocol, port)
                assert (verdict == "RETURN") is connects(pods, policies, source, target, protocol, port)


def test_an_address_of_the_range_that_no_pod_has_is_dropped_both_ways() -> None:
    known = pod("a", 0)
    rules = render(plan([known], NAMESPACES, []), pod_range=RANGE, node=NODE)
    stranger = RANGE[99]
    assert walk(rules, "PNP-FORWARD", stranger, known.address, "TCP", 80) == "DROP"
    assert walk(rules, "PNP-FORWARD", known.address, stranger, "TCP", 80) == "DROP"
    assert walk(rules, "PNP-FORWARD", IPv4Address("10.200.255.1"), known.address, "TCP", 80) == "RETURN"


def test_the_node_is_never_hindered() -> None:
    closed = policy("a", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    rules = render(plan([pod("a", 0)], NAMESPACES, [closed]), pod_range=RANGE, node=NODE)
    assert walk(rules, "PNP-NODE", NODE, NODE, "TCP", 6443) == "RETURN"


def test_chains_no_longer_needed_are_emptied_and_removed() -> None:
    closed = policy("a", {"podSelector": {}, "policyTypes": ["Ingress"]})
    planned = plan([pod("a", 0)], NAMESPACES, [closed])
    rules = render(planned, pod_range=RANGE, node=NODE, stale=frozenset({"PNP-I-old", *guard_chains(planned)}))
    assert ":PNP-I-old - [0:0]" in rules
    assert "-X PNP-I-old" in rules
    assert f"-X {chain_name('I', planned.guards[0].pod)}" not in rules
    assert all(len(chain) <= 28 for chain in guard_chains(planned))
