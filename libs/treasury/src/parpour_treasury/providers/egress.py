"""The only way out: an HTTP transport that reaches the hosts of a short list, by TLS, and follows no redirect."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import httpx

STRIPE_HOSTS = frozenset({"api.stripe.com"})
MERCURY_HOSTS = frozenset({"api.mercury.com", "api-sandbox.mercury.com"})
ANSWER_BYTES_MAX = 8 * 2**20
"""A longer answer is none: a list page of the largest size stays below it."""


class EgressRefused(httpx.ConnectError):
    """A request to a host that is not on the list; nothing left."""


def is_loopback(host: str) -> bool:
    """Whether a host is a loopback address, written as one: names are not resolved."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Egress(httpx.AsyncBaseTransport):
    """Lets through https to an exact host on port 443.

    Args:
        hosts: names, lower case, without wildcards.
        loopback: also let through http to loopback addresses, for doubles; refuse to combine it with live keys.
        inner: what carries the requests; tests give their own.
    """

    def __init__(
        self, hosts: Iterable[str], *, loopback: bool = False, inner: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._hosts = frozenset(hosts)
        self._loopback = loopback
        self._inner = inner or httpx.AsyncHTTPTransport(retries=0, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request.

        Raises:
            EgressRefused: its host is not on the list.
            httpx.ReadError: the answer is too long.
        """
        url = request.url
        listed = url.scheme == "https" and url.host in self._hosts and url.port in {None, 443} and not url.userinfo
        if not listed and not (self._loopback and url.scheme == "http" and is_loopback(url.host)):
            raise EgressRefused(f"{url.scheme}://{url.host} is not on the list of hosts", request=request)
        response = await self._inner.handle_async_request(request)
        try:
            declared = response.headers.get("content-length", "0")
            if declared.isdigit() and int(declared) > ANSWER_BYTES_MAX:
                raise httpx.ReadError("the answer is too long", request=request)
            content = b""
            assert isinstance(response.stream, httpx.AsyncByteStream), "an asynchronous transport streams so"
            async for part in response.stream:
                content += part
                if len(content) > ANSWER_BYTES_MAX:
                    raise httpx.ReadError("the answer is too long", request=request)
        finally:
            await response.aclose()
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(content))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Closes the connections."""
        await self.aclose()


def egress_to_doubles(addresses: Iterable[str], *, authority: Path | None = None) -> Egress:
    """The way to doubles and to nobody else: to the hosts of their https addresses, and to loopback if one is there.

    Args:
        addresses: of the doubles.
        authority: a file with the certificates (PEM) that vouch for them, instead of the commonly trusted ones.

    Raises:
        OSError: the file cannot be read, or is none of certificates (ssl.SSLError).
    """
    urls = [httpx.URL(address) for address in addresses]
    inner = None
    if authority is not None:
        context = ssl.create_default_context(cafile=authority)
        inner = httpx.AsyncHTTPTransport(retries=0, trust_env=False, verify=context)
    hosts = [url.host for url in urls if url.scheme == "https"]
    return Egress(hosts, loopback=any(url.scheme == "http" for url in urls), inner=inner)


def client(transport: Egress, *, timeout_s: float) -> httpx.AsyncClient:
    """A client on that transport: no redirects, and nothing taken from the environment, proxies included."""
    return httpx.AsyncClient(transport=transport, timeout=timeout_s, follow_redirects=False, trust_env=False)
