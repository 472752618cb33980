"""The API server as this command line sees it: JSON by path, read only but for access reviews.

Objects stay plain mappings, because the official client's typed models cost more to build than the answers are worth
and refuse what a newer server adds. Every failure becomes a `CliError` here, so that no caller sees an HTTP status.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes
import urllib3.exceptions
import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from parpour_cli.faults import CliError
from parpour_contracts import GROUP, VERSION
from parpour_contracts.simulation import PLURAL

Json = dict[str, Any]

CONNECT_SECONDS = 5
READ_SECONDS = 30
WATCH_SECONDS = 300
"""After so long the server ends a watch, and it is begun again."""
PAGE = 500
SIMULATIONS = f"/apis/{GROUP}/{VERSION}"


@dataclass(frozen=True)
class Target:
    """Which cluster and namespace the user means; None is what the kubeconfig says."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None


class Cluster:
    """One API server, as one user, in one namespace."""

    def __init__(self, client: Any, *, namespace: str) -> None:
        self.client = client
        self.namespace = namespace

    @classmethod
    def connect(cls, target: Target) -> Cluster:
        """Read the kubeconfig (or, in a pod, its service account); nothing is sent yet.

        Raises:
            CliError: KUBECONFIG_WRONG.
        """
        configuration = kubernetes.client.Configuration()
        configuration.retries = 0
        file = str(target.kubeconfig) if target.kubeconfig else None
        try:
            kubernetes.config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=file, context=target.context, client_configuration=configuration, persist_config=False
            )
            namespace = target.namespace or _namespace_of_context(file, target.context)
        except ConfigException as fault:
            if file or target.context:
                raise _wrong_kubeconfig(fault) from None
            try:
                kubernetes.config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            except ConfigException:
                raise _wrong_kubeconfig(fault) from None
            own = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
            namespace = target.namespace or own.read_text().strip()
        except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as fault:
            raise _wrong_kubeconfig(fault) from None
        return cls(kubernetes.client.ApiClient(configuration), namespace=namespace)

    def get(self, path: str, **query: str | int | bool) -> Json:
        """The object or list at a path. Raises CliError; API_NOT_FOUND when there is none."""
        answer = self._send("GET", path, query)
        return dict(json.loads(self._read(answer)))

    def find(self, path: str, **query: str | int | bool) -> Json | None:
        """The object at a path, or None."""
        try:
            return self.get(path, **query)
        except CliError as fault:
            if fault.code == "API_NOT_FOUND":
                return None
            raise

    def items(self, path: str, **query: str | int | bool) -> list[Json]:
        """All items of a list, read in pages."""
        found: list[Json] = []
        more = ""
        while True:
            page = self.get(path, **query, limit=PAGE, **({"continue": more} if more else {}))
            found.extend(page.get("items", ()))
            more = page.get("metadata", {}).get("continue", "")
            if not more:
                return found

    def review(self, path: str, body: Json) -> Json:
        """Ask the API server a question that is put as a POST, such as an access review."""
        return dict(json.loads(self._read(self._send("POST", path, {}, body=body))))

    def lines(self, path: str, *, seconds: float | None = READ_SECONDS, **query: str | int | bool) -> Iterator[str]:
        """The lines of a stream (a log, a watch) as they come; `seconds` without any end it when it is not None."""
        answer = self._send("GET", path, query, seconds=seconds)
        rest = b""
        try:
            for piece in answer.response.stream(amt=None, decode_content=False):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace")
        except urllib3.exceptions.HTTPError as fault:
            raise _unreachable(fault) from None
        finally:
            answer.response.close()
        if rest:
            yield rest.decode(errors="replace")

    def watch(self, path: str, *, version: str, **query: str | int | bool) -> Iterator[Json]:
        """Watch events from a resource version on, until the server ends the watch."""
        for line in self.lines(
            path,
            seconds=WATCH_SECONDS + READ_SECONDS,
            watch=True,
            resourceVersion=version,
            allowWatchBookmarks=True,
            timeoutSeconds=WATCH_SECONDS,
            **query,
        ):
            yield dict(json.loads(line))

    def simulations_path(self, *, everywhere: bool = False) -> str:
        """The path of the Simulations in the namespace, or in all."""
        return f"{SIMULATIONS}/{PLURAL}" if everywhere else f"{SIMULATIONS}/namespaces/{self.namespace}/{PLURAL}"

    def simulation(self, name: str) -> Json:
        """One Simulation.

        Raises:
            CliError: SIMULATION_NOT_FOUND, CRD_MISSING or what the API server answers.
        """
        path = f"{self.simulations_path()}/{name}"
        found = self.find(path)
        if found is not None:
            return found
        self.require_crd()
        raise CliError(
            "SIMULATION_NOT_FOUND",
            f"there is no Simulation {name!r} in namespace {self.namespace!r}",
            remedy="`parpour sim list -A` shows all; choose another namespace with -n",
        )

    def require_crd(self) -> None:
        """Raises CliError CRD_MISSING when the cluster does not know Simulations."""
        if self.find(SIMULATIONS) is None:
            raise CliError(
                "CRD_MISSING",
                "this cluster does not know Simulations",
                remedy="install the chart (helm install parpour charts/parpour); `parpour doctor` examines the rest",
            )

    def pods(self, name: str) -> list[Json]:
        """The pods of one Simulation's shards."""
        return self.items(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=f"{GROUP}/simulation={name}")

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | bool],
        *,
        body: Json | None = None,
        seconds: float | None = READ_SECONDS,
    ) -> Any:
        parameters = [(key, str(value).lower() if isinstance(value, bool) else value) for key, value in query.items()]
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = self.client.param_serialize(
            method, path, query_params=parameters, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            answer = self.client.call_api(*request, _request_timeout=(CONNECT_SECONDS, seconds))
        except ApiException as fault:
            raise _refused(fault.status or 0, fault.reason or "", fault.body, path) from None
        except urllib3.exceptions.HTTPError as fault:
            raise _unreachable(fault) from None
        if not 200 <= answer.status < 300:
            raise _refused(answer.status, answer.reason or "", self._read(answer), path)
        return answer

    @staticmethod
    def _read(answer: Any) -> bytes:
        try:
            return bytes(answer.read() or b"")
        except urllib3.exceptions.HTTPError as fault:
            raise _unreachable(fault) from None


def _namespace_of_context(file: str | None, context: str | None) -> str:
    contexts, current = kubernetes.config.list_kube_config_contexts(config_file=file)  # type: ignore[no-untyped-call]
    chosen = next((entry for entry in contexts if entry["name"] == context), current)
    return str(chosen.get("context", {}).get("namespace") or "default")


def _wrong_kubeconfig(fault: Exception) -> CliError:
    return CliError(
        "KUBECONFIG_WRONG",
        f"the kubeconfig cannot be used: {' '.join(str(fault).split())[:300]}",
        remedy="set KUBECONFIG or give --kubeconfig and --context; `kubectl config get-contexts` lists them",
        exit_code=2,
    )


def _unreachable(fault: Exception) -> CliError:
    cause = getattr(fault, "reason", None) or fault
    return CliError(
        "API_UNREACHABLE",
        f"the API server does not answer: {' '.join(str(cause).split())[:300]}",
        remedy="is the cluster up, and is this the right context? `kubectl cluster-info` asks the same server",
    )


def _refused(status: int, reason: str, body: bytes | str | None, path: str) -> CliError:
    try:
        answer = json.loads(body or b"{}")
        said = str(answer.get("message", ""))
        if not said and {"code", "detail"} <= answer.keys():  # a problem of a service behind the API server
            said = f"{answer['code']}: {answer['detail']}"
    except (ValueError, AttributeError):
        said = ""
    message = said or f"{status} {reason} at {path}"
    known = {
        401: ("API_UNAUTHORIZED", "log in again: the credentials of this context are not accepted"),
        403: (
            "API_FORBIDDEN",
            "ask for the role view in this namespace; `kubectl auth can-i --list` shows what you may do",
        ),
        404: ("API_NOT_FOUND", ""),
        410: ("API_EXPIRED", ""),
        429: ("API_BUSY", "the API server is overloaded; try again in a moment"),
    }
    code, remedy = known.get(status, ("API_ERROR", "`parpour doctor` examines the cluster"))
    return CliError(code, message, remedy=remedy)
