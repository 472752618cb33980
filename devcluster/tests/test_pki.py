"""Certificates of a cluster, checked with OpenSSL's own rules through the ssl module."""

from __future__ import annotations

import base64
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from parpour_devcluster.layout import Layout
from parpour_devcluster.pki import identities, write_kubeconfig, write_pki

pytestmark = pytest.mark.unit

NOW = datetime(2030, 1, 2, tzinfo=UTC)
LAYOUT = Layout(name="t", index=4, root=Path("/x"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pki")
    write_pki(path, identities(LAYOUT), now=NOW)
    return path


def test_no_key_can_be_read_by_others(folder: Path) -> None:
    keys = list(folder.glob("*.key"))
    assert len(keys) == len(identities(LAYOUT)) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_the_api_server_is_trusted_at_each_of_its_addresses(folder: Path) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    server = x509.load_pem_x509_certificate((folder / "apiserver.crt").read_bytes())
    builder = PolicyBuilder().store(Store([authority])).time(NOW)
    for address in (LAYOUT.node_address, LAYOUT.service_range[1]):
        assert builder.build_server_verifier(x509.IPAddress(address)).verify(server, [])
    assert builder.build_server_verifier(x509.DNSName("kubernetes.default.svc")).verify(server, [])


def test_each_daemon_is_who_kubernetes_expects(folder: Path) -> None:
    subjects = {
        path.stem: x509.load_pem_x509_certificate(path.read_bytes()).subject.rfc4514_string()
        for path in folder.glob("*.crt")
    }
    assert subjects["kubelet"] == "CN=system:node:t,O=system:nodes"
    assert subjects["admin"] == "CN=kubernetes-admin,O=system:masters"
    assert subjects["kube-scheduler"] == "CN=system:kube-scheduler"


def test_a_kubeconfig_carries_its_certificates_and_is_private(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, pki=folder, identity="admin", server=LAYOUT.server, cluster="t")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == "https://10.204.0.1:6443"
    ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii"))
