"""The release with its treasury: an issuer of tokens beside it in the cluster, and questions to the API in its words.

The development issuer signs in the test's own process. What the API needs of it, its keys, a pod of the cluster serves
over TLS, and the same pod asks the API, so that every question passes the Service and the policies.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.certificates import certify
from harness.deadlines import until
from harness.release import NAMESPACE, Object, Release, install
from parpour_devissuer.issuing import Issuer

PEOPLE = "treasury-people"
"""Namespace of those who use the treasury."""
HOST = f"issuer.{PEOPLE}.svc"
LABELS = {"app": "issuer"}
PEER = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": PEOPLE}},
    "podSelector": {"matchLabels": LABELS},
}
"""Who asks, and serves the issuer's keys, as a peer of policies."""
CA = "treasury-issuer"
"""Secret with the issuer's authority, in the release's namespace."""

SERVE = """
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/keys")
server = http.server.ThreadingHTTPServer(("0.0.0.0", 8443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
ASK = """
import sys, urllib.request, urllib.error
url, token = sys.argv[1:]
headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
request = urllib.request.Request(url, data=sys.stdin.buffer.read(), headers=headers)
try:
    answer = urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as error:
    answer = error
sys.stdout.write(answer.read().decode())
"""


@dataclass(frozen=True)
class Treasury:
    """A release with a treasury."""

    release: Release
    issuer: Issuer
    settings: tuple[str, ...]
    """What was set beside the defaults, as PATH=JSON."""

    def ask(
        self,
        tenant: str,
        query: str,
        variables: Object | None = None,
        *,
        roles: tuple[str, ...] = ("owner",),
        sub: str = "ann",
        kind: str = "user",
    ) -> Any:
        """The data of a GraphQL answer.

        Raises:
            AssertionError: if it has errors.
        """
        body = self.answer(tenant, query, variables, roles=roles, sub=sub, kind=kind)
        assert "errors" not in body, body
        return body["data"]

    def answer(
        self,
        tenant: str,
        query: str,
        variables: Object | None = None,
        *,
        roles: tuple[str, ...] = ("owner",),
        sub: str = "ann",
        kind: str = "user",
    ) -> Object:
        """The whole answer to somebody of a tenant: a user or an agent."""
        claims = {"tenant": tenant, "sub": sub, "person": sub, "roles": list(roles), "actor_kind": kind}
        url = f"http://parpour-api.{NAMESPACE}.svc:8080/graphql"
        body = json.dumps({"query": query, "variables": variables or {}})
        command = ("python", "-c", ASK, url, self.issuer.token(claims))
        answer: Object = json.loads(self.inside("issuer", *command, namespace=PEOPLE, stdin=body))
        return answer

    def upgraded(self, *settings: str) -> Release:
        """Upgrade the release to its settings and these."""
        return install(self.release.cluster, settings=[*self.settings, *settings], treasury=True)

    def inside(self, pod: str, *command: str, namespace: str = NAMESPACE, stdin: str = "") -> str:
        """What a command prints inside of a pod, or of a workload's pod."""
        return self.release.kubectl("exec", "--stdin", pod, "--namespace", namespace, "--", *command, stdin=stdin)


def _people(release: Release, issuer: Issuer, folder: Path) -> list[Object]:
    certificate, key = certify(folder, HOST)
    tls = {"tls.crt": certificate.read_text(), "tls.key": key.read_text()}

    def named(name: str, namespace: str = PEOPLE) -> Object:
        return {"name": name, "namespace": namespace}

    volumes = [
        {"name": "keys", "configMap": {"name": "issuer"}},
        {"name": "tls", "secret": {"secretName": "issuer", "defaultMode": 0o440}},
    ]
    container = {
        "name": "issuer",
        "image": release.worker_image,
        "command": ["python", "-c", SERVE],
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in ("keys", "tls")],
    }
    spec = {"securityContext": {"fsGroup": 65532}, "containers": [container], "volumes": volumes}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PEOPLE}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": named("issuer"),
            "data": {"jwks": json.dumps(issuer.keys())},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": named("issuer"), "stringData": tls},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": named(CA, NAMESPACE),
            "stringData": {"ca.crt": certificate.read_text()},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": named("issuer"),
            "spec": {"selector": LABELS, "ports": [{"port": 443, "targetPort": 8443}]},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**named("issuer"), "labels": LABELS}, "spec": spec},
    ]


def _values() -> Object:
    price = {"cpuHour": "36", "memoryGibHour": "0", "gpuHour": "0"}
    return {
        "treasury": {
            "issuer": {"url": f"https://{HOST}", "keysUrl": f"https://{HOST}/jwks", "caSecret": CA},
            "prices": {"version": "test", "prices": {"USD": price}},
            "api": {"replicas": 1},
        },
        "networkPolicy": {
            "apiPeers": [PEER],
            "issuerEgress": [{"to": [PEER], "ports": [{"port": 8443, "protocol": "TCP"}]}],
        },
        "operator": {"env": {"PARPOUR_REFUSED_RETRY_SECONDS": "1"}},
    }


def _forget(release: Release) -> None:
    """Delete what an uninstalled treasury leaves: sources may have another schema the next time."""
    volumes = [f"data-parpour-{part}-0" for part in ("postgres", "sealer", "payments")]
    release.kubectl(
        *("delete", "pvc", *volumes, "--namespace", NAMESPACE),
        *("--ignore-not-found", "--timeout=60s"),
    )


@contextmanager
def installed(release: Release, *more: str) -> Iterator[Treasury]:
    """The release upgraded to one with a treasury and further settings, until the end of the block; then as it was."""
    issuer = Issuer(f"https://{HOST}", audience="parpour", clock=time.time, new_id=lambda: str(uuid4()))
    with tempfile.TemporaryDirectory() as folder:
        release.apply(*_people(release, issuer, Path(folder)))
    _forget(release)
    restricted = "pod-security.kubernetes.io/enforce"
    release.kubectl("label", "namespace", NAMESPACE, f"{restricted}=restricted", "--overwrite")
    try:
        release.kubectl("wait", "pod/issuer", "--namespace", PEOPLE, "--for=condition=Ready", "--timeout=60s")
        settings = (*(f"{name}={json.dumps(value)}" for name, value in _leaves(_values())), *more)
        yield Treasury(install(release.cluster, settings=settings, treasury=True), issuer, settings)
    finally:
        install(release.cluster)
        release.kubectl("label", "namespace", NAMESPACE, f"{restricted}-")
        release.kubectl("delete", "pod", "issuer", "--namespace", PEOPLE, "--grace-period=0", "--force")
        release.kubectl("delete", "namespace", PEOPLE, "--timeout=60s")
        release.kubectl("delete", "secret", CA, "--namespace", NAMESPACE)
        until(
            lambda: (
                not release.list_of("pods", selector="app.kubernetes.io/component=api", namespace=NAMESPACE) or None
            ),
            what="the treasury to be gone",
        )
        _forget(release)


def _leaves(values: Object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values below the first two levels, as Helm's --set-json merges them."""
    for name, value in values.items():
        if path.count(".") < 1 and isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
