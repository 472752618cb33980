"""The operator's side of the internal API: reservations, settlements, and the binding of Ventures.

The operator holds no credentials of any bank or database. It shows its own ServiceAccount token, made for this audience
alone and read anew for every request, as the kubelet rotates it; the API verifies it with a TokenReview. Every request
may be sent twice and changes nothing the second time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

import httpx2
from pydantic import BaseModel, ValidationError

from parpour_contracts.funding import (
    Binding,
    Bound,
    Fault,
    Freezing,
    FundingState,
    OpenReservations,
    Renewal,
    Reservation,
    ReservationRequest,
    Settlement,
)
from parpour_operator.settings import Settings

ROOT = "/internal/v1"
REFUSED = frozenset({400, 404, 409, 422})
ANSWER_LIMIT = 4 * 1024**2
M = TypeVar("M", bound=BaseModel)


class FundingRefused(Exception):
    """The internal API refuses a request as it is."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.message}")
        self.fault = fault


class FundingUnavailable(OSError):
    """The internal API did not answer, or does not let the operator in; the message says what happened."""


class FundingApi(Protocol):
    """The internal API, as the operator sees it. Every method raises FundingRefused and FundingUnavailable."""

    async def state(self, namespace_uid: UUID, uid: UUID) -> FundingState: ...
    async def reserve(self, request: ReservationRequest) -> Reservation: ...
    async def renew(self, reservation: Reservation, renewal: Renewal) -> Reservation: ...
    async def settle(self, venture: UUID, reservation: UUID, settlement: Settlement) -> Reservation: ...
    async def cancel(self, venture: UUID, reservation: UUID) -> Reservation: ...
    async def open(self, after: str | None) -> OpenReservations: ...
    async def bind(self, binding: Binding) -> Bound: ...
    async def freeze(self, venture: UUID, freezing: Freezing) -> Bound: ...


class Treasury:
    """`FundingApi` over HTTPS."""

    def __init__(self, client: httpx2.AsyncClient, *, token_file: Path, check_write: Callable[[], None]) -> None:
        self._client = client
        self._token_file = token_file
        self._check_write = check_write

    async def state(self, namespace_uid: UUID, uid: UUID) -> FundingState:
        """What is known of one resource."""
        return await self._get("/funding", FundingState, {"namespaceUid": str(namespace_uid), "uid": str(uid)})

    async def reserve(self, request: ReservationRequest) -> Reservation:
        """Keep money free; a refusal of the treasury is an answer with that state."""
        return await self._post("/reservations", request, Reservation)

    async def renew(self, reservation: Reservation, renewal: Renewal) -> Reservation:
        """Cover a longer run; if that is refused the answer holds the fault, and what was reserved stays."""
        return await self._post(_place(reservation.venture, reservation.reservation, "renew"), renewal, Reservation)

    async def settle(self, venture: UUID, reservation: UUID, settlement: Settlement) -> Reservation:
        """Charge what was used and release the rest."""
        return await self._post(_place(venture, reservation, "settle"), settlement, Reservation)

    async def cancel(self, venture: UUID, reservation: UUID) -> Reservation:
        """Release everything."""
        return await self._post(_place(venture, reservation, "cancel"), None, Reservation)

    async def open(self, after: str | None) -> OpenReservations:
        """A page of what is open, of all ventures."""
        cursor = {"after": after} if after else {}
        return await self._get("/reservations", OpenReservations, {"state": "open", **cursor})

    async def bind(self, binding: Binding) -> Bound:
        """Bind a Venture's namespace."""
        return await self._post("/ventures", binding, Bound)

    async def freeze(self, venture: UUID, freezing: Freezing) -> Bound:
        """Stop a venture's spending."""
        return await self._post(f"/ventures/{venture}/freeze", freezing, Bound)

    async def _get(self, path: str, model: type[M], query: dict[str, str]) -> M:
        request = self._client.build_request("GET", ROOT + path, params=query, headers=self._headers())
        return await self._send(request, model)

    async def _post(self, path: str, body: BaseModel | None, model: type[M]) -> M:
        self._check_write()
        content = body.model_dump_json(by_alias=True, exclude_none=True).encode() if body is not None else b"{}"
        headers = {**self._headers(), "Content-Type": "application/json"}
        return await self._send(
            self._client.build_request("POST", ROOT + path, content=content, headers=headers), model
        )

    def _headers(self) -> dict[str, str]:
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise FundingUnavailable(f"the token cannot be read: {error}") from error
        return {"Authorization": f"Bearer {token}"}

    async def _send(self, request: httpx2.Request, model: type[M]) -> M:
        try:
            response = await self._client.send(request)
        except httpx2.HTTPError as error:
            raise FundingUnavailable(f"the internal API does not answer: {type(error).__name__}: {error}") from error
        if response.status_code in REFUSED:
            raise FundingRefused(_read(response, Fault))
        if response.status_code != 200:
            raise FundingUnavailable(f"the internal API answers {response.status_code}: {_code(response)}")
        return _read(response, model)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def connect(settings: Settings, *, check_write: Callable[[], None]) -> Treasury | None:
    """The internal API of the settings; None where there is none.

    Raises:
        OSError, ssl.SSLError: if the authority's certificate cannot be read.
    """
    if not settings.funding_url:
        return None
    trusted = ssl.create_default_context(cafile=settings.funding_ca_file or None)
    client = httpx2.AsyncClient(
        base_url=settings.funding_url,
        verify=trusted,
        timeout=httpx2.Timeout(settings.funding_timeout_seconds),
        trust_env=False,
        follow_redirects=False,
    )
    return Treasury(client, token_file=Path(settings.funding_token_file), check_write=check_write)


async def all_open(treasury: FundingApi) -> list[OpenReservations]:
    """Every page of what is open; other work goes on between them."""
    pages = [await treasury.open(None)]
    while pages[-1].next is not None:
        await asyncio.sleep(0)
        pages.append(await treasury.open(pages[-1].next))
    return pages


def _place(venture: UUID, reservation: UUID, verb: str) -> str:
    return f"/ventures/{venture}/reservations/{reservation}/{verb}"


def _code(response: httpx2.Response) -> str:
    try:
        fault = Fault.model_validate_json(response.content)
    except ValidationError:
        return "no code"
    return f"{fault.code}: {fault.message}"


def _read(response: httpx2.Response, model: type[M]) -> M:
    if len(response.content) > ANSWER_LIMIT:
        raise FundingUnavailable("the internal API answers more than is asked for")
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise FundingUnavailable(
            f"the internal API answers otherwise than it should: {where}: {problem['msg']}"
        ) from error
