"""Addresses, names and indices of clusters."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.layout import MAXIMUM_CLUSTERS, Layout, check_name, claim_layout, find_layout, known_layouts
from parpour_devcluster.network import loopback_socket, occupied_indices

pytestmark = pytest.mark.unit


def test_clusters_side_by_side_share_no_address_port_or_device() -> None:
    layouts = [Layout(name=f"c{index}", index=index, root=Path("/x")) for index in range(MAXIMUM_CLUSTERS)]
    for one, other in itertools.combinations(layouts, 2):
        assert not one.network.overlaps(other.network)
        assert one.registry_port != other.registry_port
        assert one.cable != other.cable
        assert one.cgroup != other.cgroup
        assert one.folder != other.folder


def test_the_ranges_of_a_cluster_do_not_overlap() -> None:
    layout = Layout(name="c", index=3, root=Path("/x"))
    assert layout.pod_range.subnet_of(layout.network)
    assert layout.service_range.subnet_of(layout.network)
    assert not layout.pod_range.overlaps(layout.service_range)
    assert layout.node_address in layout.pod_range
    assert layout.dns_address in layout.service_range
    assert layout.machine_address not in layout.pod_range
    assert len(Layout(name="a" * 30, index=31, root=Path("/x")).bridge) <= 15


@pytest.mark.parametrize("name", ["", "A", "9a", "a-", "a" * 31, "a/b", "..", "a_b"])
def test_a_name_that_is_no_label_is_refused(name: str) -> None:
    with pytest.raises(DevclusterError, match="DEVCLUSTER_NAME_INVALID"):
        check_name(name)


def test_the_lowest_index_that_is_free_is_given(tmp_path: Path) -> None:
    assert claim_layout("one", root=tmp_path).index == 0
    assert claim_layout("two", root=tmp_path, taken=frozenset({1})).index == 2
    found = find_layout("two", root=tmp_path)
    assert found is not None
    assert found.index == 2
    assert find_layout("three", root=tmp_path) is None


def test_a_half_written_index_belongs_to_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "index.json").write_text("{", encoding="utf-8")
    assert known_layouts(tmp_path) == []
    assert claim_layout("broken", root=tmp_path).index == 0


def test_no_free_index_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(DevclusterError, match="DEVCLUSTER_RANGES_EXHAUSTED"):
        claim_layout("one", root=tmp_path, taken=frozenset(range(MAXIMUM_CLUSTERS)))


def test_a_route_of_the_machine_takes_the_ranges_that_it_overlaps() -> None:
    routes = [{"dst": "default"}, {"dst": "192.0.2.0/24"}, {"dst": "10.201.7.0/24"}, {"dst": "10.204.0.0/15"}]
    assert occupied_indices(json.dumps(routes)) == {1, 4, 5}
    assert occupied_indices("") == frozenset()


def test_a_taken_port_is_named_with_the_command_that_shows_who_has_it() -> None:
    with loopback_socket(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DevclusterError, match=rf"DEVCLUSTER_PORT_TAKEN: port {port} .*ss -ltnp"):
            loopback_socket(port)
