"""What the treasury has outside of its release: a PostgreSQL of somebody's own, and the providers' doubles.

PostgreSQL is the evaluation image behind something that speaks TLS for it, as poolers and hosted servers do: the
programs in the wheel know no TLS. Its administrator is no superuser. The doubles are the repository's; one pod answers
for both under their names, and for a third name that nobody lists.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.certificates import certify
from harness.release import NAMESPACE, Object, Release
from harness.treasury import PEER
from install import push_images

OUTSIDE = "treasury-outside"
"""The namespace."""
DATABASE = f"database.{OUTSIDE}.svc"
PROVIDERS = {name: f"{name}.{OUTSIDE}.svc" for name in ("stripe", "mercury")}
UNLISTED = f"unlisted.{OUTSIDE}.svc"
"""Another name of the doubles' pod, which no setting names."""
CA = "treasury-outside-ca"
"""Secret with the authority of all of them, in the release's namespace."""
ADMINISTRATOR = "treasury-outside-administrator"
"""Secret with the database administrator's password, in the release's namespace."""
KEEPER = "keeper"
"""The administrator: may make roles and databases, and is no superuser."""
HOOK_SECRET = "whsec_double"

FRONT = """
import asyncio, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
async def front(reader, writer):
    # SSLRequest of PostgreSQL's protocol: its length, and its code. Whoever asks in the clear is not answered.
    if await reader.readexactly(8) != bytes.fromhex("0000000804d2162f"):
        return writer.close()
    writer.write(b"S")
    await writer.start_tls(context)
    behind = await asyncio.open_connection("127.0.0.1", 5433)
    await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))
async def main():
    while True:
        try:
            (await asyncio.open_connection("127.0.0.1", 5433))[1].close()
            break
        except OSError:
            await asyncio.sleep(0.2)
    async with await asyncio.start_server(front, "0.0.0.0", 5432) as server:
        await server.serve_forever()
asyncio.run(main())
"""
EXECUTE = """
import asyncio, asyncpg, sys
async def main():
    password = open("/secrets/password").read()
    server = await asyncpg.connect("postgresql://postgres@127.0.0.1:5433/" + sys.argv[1], password=password)
    sys.stdout.writelines(f"{row[0]}\\n" for row in await server.fetch(sys.stdin.read()))
asyncio.run(main())
"""
DOUBLES = """
import asyncio, dataclasses, json, sys, httpx, uvicorn
from datetime import UTC, datetime
from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.core import Request
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.stripe import StripeDouble
hooks, secret = sys.argv[1:]
made = {"clock": lambda: datetime.now(UTC), "webhook_secret": Secret(secret)}
doubles = {"stripe": StripeDouble(**made), "mercury": MercuryDouble(**made)}
async def control(name, wanted):
    double, taken = doubles[name], []
    if wanted:
        double.advance(wanted["reference"], wanted["state"])
        async with httpx.AsyncClient(trust_env=False) as client:
            for one in double.deliveries():
                headers = {one.header: one.signature, "content-type": "application/json"}
                taken.append((await client.post(hooks + name, content=one.body, headers=headers)).status_code)
    return {"taken": taken, "payments": [dataclasses.asdict(one) for one in double.payments()]}
async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    name, path = headers["host"].partition(".")[0], scope["path"]
    if path == "/_double":
        status, content = 200, json.dumps(await control(name, json.loads(body))).encode()
    elif name in doubles:
        asked = Request(scope["method"], path, scope["query_string"].decode(), headers, body)
        reply = (await doubles[name].exchange(asked, asyncio.sleep)).reply
        status, content = reply.status, reply.body
    else:
        status, content = 200, b"{}"
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": content})
tls = {"ssl_certfile": "/tls/tls.crt", "ssl_keyfile": "/tls/tls.key"}
uvicorn.run(app, host="0.0.0.0", port=8443, lifespan="off", log_level="warning", **tls)
"""
CONTROL = """
import http.client, ssl, sys
to = http.client.HTTPSConnection("127.0.0.1", 8443, context=ssl._create_unverified_context(), timeout=20)
to.request("POST", "/_double", sys.stdin.read(), {"host": sys.argv[1]})
print(to.getresponse().read().decode())
"""


@dataclass(frozen=True)
class Outside:
    """The servers outside, and how the chart is told of them."""

    release: Release

    def database(self, secret: str = ADMINISTRATOR) -> list[str]:
        """Settings, as PATH=JSON, for the PostgreSQL there."""
        external = {"host": DATABASE, "adminUser": KEEPER, "adminSecret": secret, "caSecret": CA}
        return [
            f"treasury.database.external={json.dumps(external)}",
            f"networkPolicy.databasePeers={json.dumps([_peer('database')])}",
        ]

    def providers(self, tenant: str, *, accounts: str, webhooks: dict[str, str]) -> list[str]:
        """Settings for a tenant's payments through the doubles: Secrets of its accounts and, by provider, webhooks."""
        doubles = {**{name: f"https://{host}" for name, host in PROVIDERS.items()}, "caSecret": CA}
        named = [{"name": name, "secretName": secret} for name, secret in webhooks.items()]
        egress = [{"to": [_peer("providers")], "ports": [{"port": 8443, "protocol": "TCP"}]}]
        return [
            f"treasury.payments.doubles={json.dumps(doubles)}",
            f"treasury.payments.accounts={json.dumps([{'tenant': tenant, 'secretName': accounts}])}",
            f"treasury.api.webhooks={json.dumps(named)}",
            f"networkPolicy.paymentEgress={json.dumps(egress)}",
            f"networkPolicy.apiPeers={json.dumps([PEER, _peer('providers')])}",
        ]

    def query(self, query: str, *, database: str = "parpour") -> list[str]:
        """The first column of what the server's superuser reads."""
        command = ("exec", "--stdin", "database", "--namespace", OUTSIDE, "--container", "postgres", "--")
        return self.release.kubectl(*command, "python", "-c", EXECUTE, database, stdin=query).splitlines()

    def ordered(self, provider: str, *, advance: dict[str, str] | None = None) -> Any:
        """What was ordered at a provider; with `advance` after a payment moved on there, of which webhooks tell."""
        command = ("exec", "--stdin", "providers", "--namespace", OUTSIDE, "--", "python", "-c", CONTROL)
        return json.loads(self.release.kubectl(*command, PROVIDERS[provider], stdin=json.dumps(advance)))


def _peer(name: str) -> Object:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OUTSIDE}},
        "podSelector": {"matchLabels": {"app": name}},
    }


def _service(name: str, app: str, port: int, target: int) -> Object:
    spec = {"selector": {"app": app}, "ports": [{"port": port, "targetPort": target}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": OUTSIDE}, "spec": spec}


def _secret(name: str, namespace: str, **data: str) -> Object:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}


def _pod(name: str, containers: list[Object], volumes: dict[str, Object]) -> Object:
    spec = {
        "securityContext": {"fsGroup": 65532},
        "containers": containers,
        "volumes": [{"name": volume, **source} for volume, source in volumes.items()],
    }
    meta = {"name": name, "namespace": OUTSIDE, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _container(name: str, image: str, port: int | None, *mounts: str, **more: Any) -> Object:
    probe = {"readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1}} if port else {}
    mounted = [{"name": mount, "mountPath": "/dev/shm" if mount == "shared" else f"/{mount}"} for mount in mounts]
    return {"name": name, "image": image, "volumeMounts": mounted, **probe, **more}


def _objects(release: Release, folder: Path, password: str) -> list[Object]:
    certificate, key = certify(folder, DATABASE, *PROVIDERS.values(), UNLISTED)
    postgres, api = release.image("postgres"), release.image("api")
    options = ["--data", "/data", "--password-file", "/secrets/password", "--listen", "127.0.0.1", "--port", "5433"]
    hooks = f"http://parpour-api.{NAMESPACE}.svc:8080/v1/webhooks/"
    tls = {"secret": {"secretName": "tls", "defaultMode": 0o440}}
    database = _pod(
        "database",
        [
            _container("postgres", postgres, None, "data", "secrets", "shared", args=options),
            _container("front", postgres, 5432, "tls", command=["python", "-c", FRONT]),
        ],
        {
            "data": {"emptyDir": {}},
            "shared": {"emptyDir": {"medium": "Memory"}},
            "secrets": {"secret": {"secretName": "superuser"}},
            "tls": tls,
        },
    )
    doubles = _container("doubles", api, 8443, "tls", command=["python", "-c", DOUBLES, hooks, HOOK_SECRET])
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OUTSIDE}},
        _secret("tls", OUTSIDE, **{"tls.crt": certificate.read_text(), "tls.key": key.read_text()}),
        _secret("superuser", OUTSIDE, password=secrets.token_urlsafe(24)),
        _secret(CA, NAMESPACE, **{"ca.crt": certificate.read_text()}),
        _secret(ADMINISTRATOR, NAMESPACE, password=password),
        _service("database", "database", 5432, 5432),
        *(_service(name, "providers", 443, 8443) for name in (*PROVIDERS, "unlisted")),
        database,
        _pod("providers", [doubles], {"tls": tls}),
    ]


@contextmanager
def outside(release: Release) -> Iterator[Outside]:
    """The servers, until the end of the block."""
    release = replace(release, values=push_images(release.cluster.registry, treasury=True))
    password = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        release.apply(*_objects(release, Path(folder), password))
    found = Outside(release)
    try:
        ready = ("--for=condition=Ready", "--timeout=90s")
        release.kubectl("wait", "pod/database", "pod/providers", "--namespace", OUTSIDE, *ready)
        found.query(f"create role {KEEPER} login createrole createdb password '{password}'", database="postgres")
        yield found
    finally:
        release.kubectl("delete", "pods", "--all", "--namespace", OUTSIDE, "--grace-period=0", "--force")
        release.kubectl("delete", "namespace", OUTSIDE, "--wait=false")
        release.kubectl("delete", "secret", CA, ADMINISTRATOR, "--namespace", NAMESPACE)
