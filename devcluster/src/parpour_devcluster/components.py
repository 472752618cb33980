"""The daemons of a cluster: command lines and configuration files, as data.

Nothing here touches the machine. The settings that look odd (cgroups without QoS levels, no eviction by disk) are what
lets the kubelet run beside other work, on cgroup version 1 and without CAP_SYS_RESOURCE.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parpour_devcluster.layout import Layout

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
POLICY_SOCKET = "/run/network-policy.sock"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ETCD_CLIENT = "127.0.0.1:2379"


@dataclass(frozen=True)
class Health:
    """How to see that a daemon works.

    Args:
        port: TCP port inside the cluster's network; 0 where only the process can be looked at.
        path: what to GET; empty where an accepted connection is enough.
        tls: whether the port speaks TLS.
        on_bridge: whether it listens on the node's address rather than on loopback.
    """

    port: int = 0
    path: str = ""
    tls: bool = False
    on_bridge: bool = False


@dataclass(frozen=True)
class Daemon:
    """A program that runs as long as the cluster.

    Args:
        name: of its log file and in `status`.
        program: a pinned program's name, or an absolute path.
        arguments: what follows on the command line.
        health: how to see that it works.
        gets_registry_socket: whether it is given the machine's loopback socket as descriptor 3.
    """

    name: str
    program: str
    arguments: tuple[str, ...]
    health: Health = field(default_factory=Health)
    gets_registry_socket: bool = False


def daemons(layout: Layout, *, layers: Path) -> dict[str, Daemon]:
    """The daemons of a cluster by name, in the order in which they are started.

    Args:
        layout: the cluster's paths and addresses.
        layers: folder of the registry's layers, shared by all clusters so that loading an image again is quick.
    """
    listed = (
        _etcd(layout),
        _containerd(layout),
        _registry(layout, layers),
        _apiserver(layout),
        _controller_manager(layout),
        _scheduler(layout),
        _network_policy(layout),
        _kubelet(layout),
        _proxy(layout),
        _provisioner(layout),
    )
    return {daemon.name: daemon for daemon in listed}


def _etcd(layout: Layout) -> Daemon:
    return Daemon(
        "etcd",
        "etcd",
        (
            f"--data-dir={layout.folder}/etcd",
            f"--listen-client-urls=http://{ETCD_CLIENT}",
            f"--advertise-client-urls=http://{ETCD_CLIENT}",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--unsafe-no-fsync",  # a crash loses the cluster anyway: the next start makes a new one
            "--log-level=warn",
        ),
        Health(2379, "/health"),
    )


def _containerd(layout: Layout) -> Daemon:
    return Daemon("containerd", "/usr/bin/containerd", (f"--config={layout.config}/containerd.toml",))


def _registry(layout: Layout, layers: Path) -> Daemon:
    return Daemon(
        "registry",
        "registry",
        (f"-listen={layout.registry}", f"-blobs={layers}"),
        Health(layout.registry_port, "/v2/"),
        gets_registry_socket=True,
    )


def _apiserver(layout: Layout) -> Daemon:
    pki = layout.pki
    return Daemon(
        "kube-apiserver",
        "kube-apiserver",
        (
            f"--bind-address={layout.node_address}",
            f"--advertise-address={layout.node_address}",
            "--secure-port=6443",
            f"--etcd-servers=http://{ETCD_CLIENT}",
            f"--service-cluster-ip-range={layout.service_range}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=false",
            "--allow-privileged=true",
            f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki}/service-account.pub",
            f"--service-account-signing-key-file={pki}/service-account.key",
            f"--audit-policy-file={layout.config}/audit-policy.yaml",
            f"--audit-log-path={layout.audit_log}",
            "--audit-log-maxsize=2048",
            "--profiling=false",
        ),
        Health(6443, "/readyz", tls=True, on_bridge=True),
    )


def _controller_manager(layout: Layout) -> Daemon:
    pki, kubeconfig = layout.pki, f"{layout.config}/kube-controller-manager.kubeconfig"
    return Daemon(
        "kube-controller-manager",
        "kube-controller-manager",
        (
            f"--kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            "--kube-api-qps=100",
            "--kube-api-burst=200",
            f"--root-ca-file={pki}/ca.crt",
            f"--service-account-private-key-file={pki}/service-account.key",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            "--profiling=false",
        ),
        Health(10257, "/healthz", tls=True),
    )


def _scheduler(layout: Layout) -> Daemon:
    return Daemon(
        "kube-scheduler",
        "kube-scheduler",
        (
            f"--kubeconfig={layout.config}/kube-scheduler.kubeconfig",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--profiling=false",
        ),
        Health(10259, "/healthz", tls=True),
    )


def _kubelet(layout: Layout) -> Daemon:
    return Daemon(
        "kubelet",
        "kubelet",
        (
            f"--config={layout.config}/kubelet.yaml",
            f"--kubeconfig={layout.config}/kubelet.kubeconfig",
            f"--root-dir={layout.folder}/kubelet",
            f"--hostname-override={layout.name}",
            f"--node-ip={layout.node_address}",
        ),
        Health(10248, "/healthz"),
    )


def _proxy(layout: Layout) -> Daemon:
    return Daemon("kube-proxy", "kube-proxy", (f"--config={layout.config}/kube-proxy.yaml",), Health(10256, "/livez"))


def _network_policy(layout: Layout) -> Daemon:
    return Daemon(
        "network-policy",
        sys.executable,
        (
            "-m",
            "parpour_devcluster.netpolicy",
            f"--kubeconfig={layout.config}/network-policy.kubeconfig",
            f"--pod-range={layout.pod_range}",
            f"--socket={POLICY_SOCKET}",
        ),
    )


def _provisioner(layout: Layout) -> Daemon:
    return Daemon(
        "local-path-provisioner",
        "local-path-provisioner",
        (
            "start",
            f"--kubeconfig={layout.config}/local-path-provisioner.kubeconfig",
            f"--config={layout.config}/local-path/config.json",
            "--configmap-name=local-path-config",
            "--namespace=local-path-storage",
            "--service-account-name=local-path-helper",
            f"--helper-image={HELPER_IMAGE}",
            f"--helper-pod-file={layout.config}/local-path/helper-pod.yaml",
            "--provisioner-name=rancher.io/local-path",
        ),
    )


PAUSE_IMAGE = "parpour.dev/devcluster/pause:1"
DNS_IMAGE = "parpour.dev/devcluster/coredns:1"
HELPER_IMAGE = "parpour.dev/devcluster/volume:1"


def containerd_configuration(layout: Layout) -> str:
    """containerd's TOML: own folders and socket, our pause image, containers without a parent cgroup."""
    return f"""version = 2
root = "{layout.folder}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp",
]
oom_score = 0

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{layout.folder}/cni-programs"
    conf_dir = "{layout.config}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def pod_network_configuration(layout: Layout) -> dict[str, Any]:
    """The CNI chain of a pod: the bridge, host ports, and the policy gate, which waits until the pod is guarded."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni-addresses",
        "ranges": [
            [
                {
                    "subnet": str(layout.pod_range),
                    "rangeStart": str(layout.pod_range[10]),
                    "gateway": str(layout.node_address),
                }
            ]
        ],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {"type": "bridge", "bridge": layout.bridge, "isGateway": True, "hairpinMode": True, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
            {"type": "policy-gate", "socket": POLICY_SOCKET},
        ],
    }


def kubelet_configuration(layout: Layout) -> dict[str, Any]:
    """The KubeletConfiguration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(layout.node_address),
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{layout.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{layout.pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{layout.pki}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "clusterDNS": [str(layout.dns_address)],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{layout.config}/resolv.conf",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "maxPods": 250,
        "podLogsDir": f"{layout.folder}/pod-logs",
        "shutdownGracePeriod": "0s",
        "registerNode": True,
    }


def proxy_configuration(layout: Layout) -> dict[str, Any]:
    """The KubeProxyConfiguration: it leaves the machine's connection-tracking limits alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": f"{layout.config}/kube-proxy.kubeconfig"},
        "bindAddress": str(layout.node_address),
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "hostnameOverride": layout.name,
        "clusterCIDR": str(layout.pod_range),
        "iptables": {"minSyncPeriod": "100ms", "localhostNodePorts": False},
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def audit_policy() -> dict[str, Any]:
    """Every request, once it has been answered, with who, what and when but without contents."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }


def local_path_configuration(layout: Layout) -> str:
    """The provisioner's config.json: where on the machine volumes lie."""
    paths = [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(layout.volumes)]}]
    return json.dumps({"nodePathMap": paths, "setupCommand": "/volume", "teardownCommand": "/volume"})


def volume_helper_pod() -> dict[str, Any]:
    """The template of the pod that makes or removes a volume's folder, as root: the folder's owner may be anyone."""
    container = {
        "name": "volume",
        "image": HELPER_IMAGE,
        "imagePullPolicy": "Never",
        "securityContext": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "volume"},
        "spec": {"priorityClassName": "system-node-critical", "containers": [container]},
    }
