"""Keys and certificates of one cluster, made anew each time it starts.

One authority signs servers and clients alike: the cluster lives for hours, on loopback and its own bridge. Keys are
P-256, because making twelve RSA keys takes longer than starting the API server.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from parpour_devcluster.layout import Layout

LIFETIME = timedelta(days=365)


@dataclass(frozen=True)
class Identity:
    """A certificate to be made.

    Args:
        name: the files' stem.
        common_name: the user, or the server's name.
        groups: organisations, which Kubernetes reads as groups.
        hosts: DNS names a server answers to.
        addresses: addresses a server answers at; one with neither hosts nor addresses is a client.
    """

    name: str
    common_name: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[IPv4Address, ...] = ()

    @property
    def is_server(self) -> bool:
        """Whether the certificate is presented by a server."""
        return bool(self.hosts or self.addresses)


def identities(layout: Layout) -> tuple[Identity, ...]:
    """Everyone in a cluster who presents a certificate."""
    loopback = IPv4Address("127.0.0.1")
    service_names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    return (
        Identity(
            "apiserver",
            "kube-apiserver",
            hosts=(*service_names, "kubernetes.default.svc.cluster.local", "localhost"),
            addresses=(layout.node_address, layout.service_range[1], loopback),
        ),
        Identity("kubelet-server", layout.name, hosts=(layout.name,), addresses=(layout.node_address, loopback)),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ("parpour:kubelet-api",)),
        Identity("admin", "kubernetes-admin", ("system:masters",)),
        Identity("kube-controller-manager", "system:kube-controller-manager"),
        Identity("kube-scheduler", "system:kube-scheduler"),
        Identity("kube-proxy", "system:kube-proxy"),
        Identity("kubelet", f"system:node:{layout.name}", ("system:nodes",)),
        Identity("network-policy", "parpour:network-policy"),
        Identity("local-path-provisioner", "parpour:local-path-provisioner"),
    )


def write_pki(folder: Path, wanted: Sequence[Identity], *, now: datetime) -> None:
    """Makes the authority, the service accounts' signing key and a certificate for each identity.

    Args:
        folder: receives `NAME.crt` and `NAME.key` in PEM; keys can be read by their owner only.
        wanted: whom to certify.
        now: the start of the certificates' validity, less five minutes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "parpour-devcluster")])
    authority = (
        _started(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(folder, "ca", authority_key, authority)
    signing_key = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "service-account", signing_key, None)
    public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    (folder / "service-account.pub").write_bytes(signing_key.public_key().public_bytes(*public))
    for identity in wanted:
        key = ec.generate_private_key(ec.SECP256R1())
        groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
        subject = x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)])
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.is_server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _started(subject, authority_name, key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if identity.is_server:
            names: list[x509.GeneralName] = [x509.DNSName(host) for host in identity.hosts]
            names += [x509.IPAddress(address) for address in identity.addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        _write(folder, identity.name, key, builder.sign(authority_key, hashes.SHA256()))


def _started(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(minutes=5))
        .not_valid_after(now.astimezone(UTC) + LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate | None) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(folder / f"{name}.key", pem)
    if certificate is not None:
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, at no moment readable by others."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)


def write_kubeconfig(path: Path, *, pki: Path, identity: str, server: str, cluster: str) -> None:
    """Writes a kubeconfig with the certificates inside, so that the file can be copied elsewhere."""

    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode("ascii")

    user = f"{cluster}-{identity}"
    authority = {"server": server, "certificate-authority-data": encoded("ca.crt")}
    credentials = {
        "client-certificate-data": encoded(f"{identity}.crt"),
        "client-key-data": encoded(f"{identity}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": authority}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())
