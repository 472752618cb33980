"""How operations reach the API, and what its refusals are here: values where the schema has them, else exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx
from pydantic_core import to_jsonable_python

SECONDS_MAX = 30.0
"""How long a request may take, if the caller brings no client of their own."""

Answer = TypeVar("Answer")


class ApiError(Exception):
    """The whole request was refused, or a field of it failed."""

    def __init__(self, code: str, detail: str, *, status: int, retry_after: int | None = None) -> None:
        self.code = code
        """Stable; the API's reference explains each."""
        self.detail = detail
        self.status = status
        """The HTTP status."""
        self.retry_after = retry_after
        """Seconds after which to ask again, where the API says so."""
        super().__init__(f"{code}: {detail}")


class _Refusal(Protocol):
    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...


class Refused(Exception):
    """A mutation was refused."""

    def __init__(self, refusal: _Refusal) -> None:
        self.code = refusal.code
        """Stable; the API's reference explains each."""
        self.refusal = refusal
        super().__init__(f"{refusal.code}: {refusal.message}")


def accepted(answer: object, kind: type[Answer]) -> Answer:
    """The answer, if it is of the kind that was hoped for.

    Raises:
        Refused: if it is a refusal.
        TypeError: if it is something else.
    """
    if isinstance(answer, kind):
        return answer
    if hasattr(answer, "code") and hasattr(answer, "message"):
        raise Refused(answer)
    raise TypeError(f"{type(answer).__name__}, where {kind.__name__} was hoped for")


class Transport:
    """Sends operations to one API in the name of one bearer."""

    def __init__(self, url: str, *, token: Callable[[], str], client: httpx.AsyncClient | None = None) -> None:
        """`url` is the API's, without a path. `token` is asked before each request, so that it can be renewed."""
        self._url = url.rstrip("/") + "/graphql"
        self._token = token
        self._own = client is None
        self._client = client or httpx.AsyncClient(timeout=SECONDS_MAX)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, if they are the client's own."""
        if self._own:
            await self._client.aclose()

    async def execute(self, query: str, name: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The data of an operation; variables that are None are not sent.

        Raises:
            ApiError: if the API refuses the request, or a field of it fails.
            httpx.HTTPError: if it cannot be reached.
        """
        given = {key: value for key, value in variables.items() if value is not None}
        body = {
            "query": query,
            "operationName": name,
            "variables": to_jsonable_python(given, by_alias=True, exclude_none=True),
        }
        headers = {"authorization": f"Bearer {self._token()}", "accept": "application/graphql-response+json"}
        response = await self._client.post(self._url, json=body, headers=headers)
        told = _json(response)
        errors = told.get("errors")
        if errors:
            first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
            extensions = first.get("extensions")
            code = extensions.get("code", "") if isinstance(extensions, dict) else ""
            raise _error(response, str(code), str(first.get("message", "")))
        if "data" not in told:
            raise _error(response, str(told.get("code", "")), str(told.get("detail", "")))
        data: dict[str, Any] = told["data"]
        return data


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _error(response, "", "the answer is no JSON object")
    return told


def _error(response: httpx.Response, code: str, detail: str) -> ApiError:
    after = response.headers.get("retry-after", "")
    return ApiError(code, detail, status=response.status_code, retry_after=int(after) if after.isdecimal() else None)
