"""What the daemons are told: nothing of a cluster may listen beyond loopback and its own bridge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from parpour_devcluster import bootstrap, components
from parpour_devcluster.api import APPLICABLE
from parpour_devcluster.cgroups import hierarchies
from parpour_devcluster.layout import Layout
from parpour_devcluster.pins import CLUSTER_GROUPS, GROUPS

pytestmark = pytest.mark.unit

LAYOUT = Layout(name="t", index=4, root=Path("/x"))


def test_no_daemon_listens_beyond_loopback_and_the_bridge() -> None:
    texts = [
        argument
        for daemon in components.daemons(LAYOUT, layers=Path("/cache/layers")).values()
        for argument in daemon.arguments
    ]
    texts += [components.containerd_configuration(LAYOUT)]
    for document in (components.kubelet_configuration(LAYOUT), components.proxy_configuration(LAYOUT)):
        texts.append(yaml.safe_dump(document))
    addresses = set(re.findall(r"\d+\.\d+\.\d+\.\d+(?!/|\d)", "\n".join(texts)))
    assert addresses == {"127.0.0.1", str(LAYOUT.node_address), str(LAYOUT.dns_address)}


def test_every_daemon_is_built_from_a_pin_or_installed() -> None:
    built = {program for group in GROUPS if group.name in CLUSTER_GROUPS for program in group.programs}
    for daemon in components.daemons(LAYOUT, layers=Path("/cache/layers")).values():
        assert daemon.program.startswith("/") or daemon.program in built


def test_paths_of_a_cluster_lie_in_its_own_folder() -> None:
    for daemon in components.daemons(LAYOUT, layers=Path("/cache/layers")).values():
        for argument in daemon.arguments:
            for path in re.findall(r"/x/\S*", argument):
                assert path.startswith("/x/t/")


def test_every_manifest_can_be_applied_with_its_placeholders_filled() -> None:
    documents = list(bootstrap.manifests(LAYOUT))
    assert all(document["kind"] in APPLICABLE for document in documents)
    assert "$" not in yaml.safe_dump_all(documents).replace("$(", "")
    service = next(document for document in documents if document["kind"] == "Service")
    assert service["spec"]["clusterIP"] == str(LAYOUT.dns_address)


def test_cgroup_hierarchies_are_read_from_the_mount_table() -> None:
    mounts = (
        "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    assert hierarchies(mounts) == [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/unified")]
