"""Everything that is written to disk before a cluster's first process starts.

The kubelet insists on five kernel settings and would change the machine's own; inside the cluster's mounts it is shown
files that already hold what it wants, so the machine keeps its settings.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import yaml

from parpour_devcluster import components, images, pki
from parpour_devcluster.binaries import cache_folder, ensure, group_folder, group_of
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.layout import Layout
from parpour_devcluster.pins import DEBIAN_PACKAGES

_KUBELET_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
_KERNEL_MODULES: dict[str, Callable[[], bool]] = {
    "overlay": lambda: "\toverlay\n" in Path("/proc/filesystems").read_text(encoding="ascii"),
    "br_netfilter": Path("/proc/sys/net/bridge").exists,
}
"""Modules that nothing loads by itself, with how to see that they are there."""
LAYERS_KEPT = 14 * 24 * 3600.0
"""Seconds after which a pushed layer is forgotten."""
_CNI_PROGRAMS = Path("/usr/lib/cni")


def check_machine() -> None:
    """Refuses a machine on which no cluster can run.

    Raises:
        DevclusterError: DEVCLUSTER_NOT_ROOT, DEVCLUSTER_PACKAGE_MISSING, DEVCLUSTER_KERNEL_MODULE_MISSING.
    """
    require_root()
    missing = [package for package, file in DEBIAN_PACKAGES.items() if not Path(file).exists()]
    if missing:
        raise DevclusterError(
            "DEVCLUSTER_PACKAGE_MISSING",
            f"these Debian packages are missing: {', '.join(missing)}",
            remedy=f"Install them with: apt-get install --no-install-recommends {' '.join(missing)}",
        )
    for module, sign in _KERNEL_MODULES.items():
        if not sign():
            subprocess.run(["modprobe", module], capture_output=True)
        if not sign():
            raise DevclusterError(
                "DEVCLUSTER_KERNEL_MODULE_MISSING",
                f"the kernel has no '{module}', and it could not be loaded",
                remedy=f"Load it with: modprobe {module}",
            )


def require_root() -> None:
    """Refuses to go on without the rights of root.

    Raises:
        DevclusterError: DEVCLUSTER_NOT_ROOT.
    """
    if os.geteuid() != 0:
        raise DevclusterError(
            "DEVCLUSTER_NOT_ROOT",
            "a cluster needs network and mount namespaces, which only root can make",
            remedy="Run it as root, or with sudo",
        )


def write_files(layout: Layout, *, now: datetime) -> None:
    """Writes keys, kubeconfigs and every daemon's configuration into the cluster's folder."""
    folders = ("logs", "config/cni", "config/local-path", "volumes", "cni-programs", "kubelet", "pod-logs")
    for folder in (*folders, "var-log", "cni-cache", "sysctl"):
        (layout.folder / folder).mkdir(parents=True, exist_ok=True)
    wanted = pki.identities(layout)
    pki.write_pki(layout.pki, wanted, now=now)
    pki.write_kubeconfig(layout.kubeconfig, pki=layout.pki, identity="admin", server=layout.server, cluster=layout.name)
    for identity in wanted:
        if not identity.is_server and identity.name not in {"admin", "apiserver-kubelet-client"}:
            target = layout.config / f"{identity.name}.kubeconfig"
            pki.write_kubeconfig(
                target, pki=layout.pki, identity=identity.name, server=layout.server, cluster=layout.name
            )
    written: dict[str, str] = {
        "containerd.toml": components.containerd_configuration(layout),
        "cni/10-pods.conflist": json.dumps(components.pod_network_configuration(layout), indent=2),
        "kubelet.yaml": yaml.safe_dump(components.kubelet_configuration(layout)),
        "kube-proxy.yaml": yaml.safe_dump(components.proxy_configuration(layout)),
        "audit-policy.yaml": yaml.safe_dump(components.audit_policy()),
        "local-path/config.json": components.local_path_configuration(layout),
        "local-path/helper-pod.yaml": yaml.safe_dump(components.volume_helper_pod()),
        "resolv.conf": "",
    }
    for name, text in written.items():
        (layout.config / name).write_text(text, encoding="utf-8")
    for program in _CNI_PROGRAMS.iterdir():
        _link(layout.folder / "cni-programs" / program.name, program)
    _link(layout.folder / "cni-programs" / "policy-gate", ensure("policy-gate"))


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def bound_folders(layout: Layout) -> list[tuple[Path, Path]]:
    """What is seen elsewhere inside the cluster, as (source, target): paths that its programs have built in."""
    cache = Path("/var/lib/cni")
    cache.mkdir(parents=True, exist_ok=True)
    binds = [(layout.folder / "var-log", Path("/var/log")), (layout.folder / "cni-cache", cache)]
    for setting, value in _KUBELET_SETTINGS.items():
        shown = layout.folder / "sysctl" / setting.replace("/", ".")
        shown.write_text(f"{value}\n", encoding="ascii")
        if Path("/proc/sys", setting).exists():
            binds.append((shown, Path("/proc/sys", setting)))
    return binds


def prune_layers(folder: Path, *, now: float) -> None:
    """Removes image layers that were pushed long ago; one that is needed again is pushed again.

    Args:
        folder: the registries' layers, made when it is missing.
        now: seconds since the epoch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if now - path.stat().st_mtime > LAYERS_KEPT:
            path.unlink(missing_ok=True)


def node_images() -> Path:
    """The archive of the images that a cluster needs to start, made when the cache lacks it."""
    wanted = (
        (components.PAUSE_IMAGE, "pause", "65535:65535"),
        (components.HELPER_IMAGE, "volume", "0:0"),
        (components.DNS_IMAGE, "coredns", "65532:65532"),
    )
    keys = "-".join(group_folder(group_of(program)).name[:12] for _, program, _ in wanted)
    archive = cache_folder() / "images" / f"node-{keys}.oci.tar"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        contents = [
            images.ScratchImage(reference, ensure(program).read_bytes(), f"/{program}", user)
            for reference, program, user in wanted
        ]
        scratch = archive.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(images.scratch_archive(contents))
        scratch.rename(archive)
    return archive


def remove_files(folder: Path, *, keep_logs: bool = False) -> None:
    """Removes a cluster's folder, its index last, so that one that was interrupted here is found again.

    Args:
        folder: the cluster's folder.
        keep_logs: leave the index and what tells why the cluster did not start.
    """
    if not folder.exists():
        return
    kept = {"index.json", "logs"} if keep_logs else {"index.json"}
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if not keep_logs:
        (folder / "index.json").unlink(missing_ok=True)
        folder.rmdir()
