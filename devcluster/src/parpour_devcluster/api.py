"""A small client of the Kubernetes API: JSON over one TLS connection, and watches.

The dev cluster asks a dozen questions while it starts and the policy enforcer watches three kinds; a client library
would double the enforcer's memory.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from parpour_devcluster.errors import DevclusterError

Document = dict[str, Any]

APPLICABLE = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
}
"""Collections of the kinds that can be applied."""


class WatchExpiredError(Exception):
    """The API server no longer has the version that the watch should start from: list again."""


class KubernetesClient:
    """Speaks to one API server with the certificate of a kubeconfig.

    Args:
        kubeconfig: a file as write_kubeconfig makes it.
        timeout: of each request in seconds; watches have no limit.
    """

    def __init__(self, kubeconfig: Path, *, timeout: float = 10.0) -> None:
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        address = urlsplit(cluster["server"])
        self._host, self._port = address.hostname or "", address.port or 443
        self._timeout = timeout
        self._tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii")
        )
        with tempfile.NamedTemporaryFile() as pair:  # the ssl module reads certificates from files only
            for field in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[field]))
            pair.flush()
            self._tls.load_cert_chain(pair.name)

    def request(self, method: str, path: str, body: Document | None = None) -> tuple[int, Document]:
        """One request.

        Returns:
            The HTTP status and the decoded answer; an answer that is no JSON object comes as {"text": …}.

        Raises:
            OSError: the server is not reachable.
        """
        connection = self._connect(self._timeout)
        try:
            kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, body=payload, headers={"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        try:
            document = json.loads(text)
        except ValueError:
            document = {"text": text}
        return answer.status, document if isinstance(document, dict) else {"text": text}

    def apply(self, document: Document) -> None:
        """Applies one object on the server's side.

        Raises:
            DevclusterError: DEVCLUSTER_APPLY_REFUSED.
            OSError: the server is not reachable.
        """
        metadata = document["metadata"]
        collection = APPLICABLE[document["kind"]].format(namespace=metadata.get("namespace"))
        path = f"{collection}/{metadata['name']}?fieldManager=parpour-devcluster&force=true"
        status, answer = self.request("PATCH", path, document)
        if status >= 300:
            raise DevclusterError(
                "DEVCLUSTER_APPLY_REFUSED",
                f"the API server refused {document['kind']} {metadata['name']}: {answer.get('message', answer)}",
                remedy="Run parpour-devcluster down and up again",
            )

    def watch(self, path: str, *, version: str) -> Iterator[Document]:
        """Changes of a collection from a version on; ends when the server closes the watch.

        Raises:
            WatchExpiredError: the version is too old.
            OSError: the connection broke.
        """
        connection = self._connect(None)
        query = urlencode({"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"})
        try:
            connection.request("GET", f"{path}?{query}")
            answer = connection.getresponse()
            if answer.status == http.client.GONE:
                raise WatchExpiredError(path)
            if answer.status != http.client.OK:
                raise ConnectionError(f"watch {path}: HTTP {answer.status}")
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise WatchExpiredError(path)
                yield event
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def _connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self._port, context=self._tls, timeout=timeout)
