"""A tenant's accounts at providers, from the folder of secrets that only the payment worker has.

Each tenant has a folder named by its id; `accounts.json` in it says which accounts there are, and names the files of
the same folder that hold their secrets. What is missing or cannot be read is no account: nothing is claimed for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationError

from parpour_contracts.model import Document
from parpour_treasury.providers.credentials import CredentialUnavailable, read_secret
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.mercury import BASE_URL, MercuryProvider, Way
from parpour_treasury.providers.port import Provider
from parpour_treasury.providers.stripe import Rail, StripeProvider

NAME = "accounts.json"
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]

logger = logging.getLogger(__name__)


class StripeAccount(Document):
    """An account at Stripe."""

    key: SecretName
    rail: Rail = Rail.OUTBOUND_PAYMENT
    financial_account: str = ""
    network: Literal["ach", "us_domestic_wire"] = "ach"
    webhook_secrets: Annotated[tuple[SecretName, ...], Field(max_length=4)] = ()


class MercuryAccount(Document):
    """An account at Mercury."""

    token: SecretName
    account: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    way: Way = Way.REQUEST
    method: Literal["ach", "check", "domesticWire"] = "ach"
    webhook_secrets: Annotated[tuple[SecretName, ...], Field(max_length=4)] = ()


class TenantAccounts(Document):
    """What `accounts.json` says."""

    stripe: StripeAccount | None = None
    mercury: MercuryAccount | None = None


class MountedAccounts:
    """Accounts of every tenant, each opened when it is first asked for and again when its files change."""

    def __init__(
        self,
        folder: Path,
        *,
        egress: Egress,
        endpoints: Mapping[str, str] | None = None,
        doubles: Egress | None = None,
    ) -> None:
        """`endpoints` are addresses of doubles, by provider; real providers where it names none.

        `egress` is the way out, and `doubles` the way to those, if it is another.
        """
        self._folder = folder
        self._egress = egress
        self._endpoints = dict(endpoints or {})
        self._doubles = doubles or egress
        self._open: dict[tuple[UUID, str], tuple[str, Provider]] = {}

    def names(self, tenant: UUID) -> list[str]:
        """Providers at which the tenant has an account."""
        described = self._described(tenant)
        return [
            name for name in ("mercury", "stripe") if described is not None and getattr(described, name) is not None
        ]

    def provider(self, tenant: UUID, name: str) -> Provider | None:
        """The tenant's account; None if it has none, or its secrets cannot be read."""
        described = self._described(tenant)
        if described is None or name not in self._makers or getattr(described, name) is None:
            return None
        account = getattr(described, name)
        stamp = described.canonical().decode() + self._stamp(tenant)
        known = self._open.get((tenant, name))
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            made = self._makers[name](tenant, account)
        except (CredentialUnavailable, ValueError) as error:
            logger.warning("tenant %s: no account at %s: %s", tenant, name, error)
            return None
        self._open[tenant, name] = (stamp, made)
        return made

    async def close(self) -> None:
        """Close every connection."""
        for _, provider in self._open.values():
            await provider.close()
        self._open.clear()

    @property
    def _makers(self) -> dict[str, Callable[[UUID, StripeAccount | MercuryAccount], Provider]]:
        return {"stripe": self._stripe, "mercury": self._mercury}  # type: ignore[dict-item]

    def _stripe(self, tenant: UUID, account: StripeAccount) -> Provider:
        return StripeProvider(
            read_secret(self._folder, f"{tenant}/{account.key}"),
            rail=account.rail,
            financial_account=account.financial_account,
            network=account.network,
            webhook_secrets=[read_secret(self._folder, f"{tenant}/{name}") for name in account.webhook_secrets],
            egress=self._way_to("stripe"),
            base_url=self._endpoints.get("stripe"),
        )

    def _mercury(self, tenant: UUID, account: MercuryAccount) -> Provider:
        return MercuryProvider(
            read_secret(self._folder, f"{tenant}/{account.token}"),
            account=account.account,
            way=account.way,
            method=account.method,
            webhook_secrets=[read_secret(self._folder, f"{tenant}/{name}") for name in account.webhook_secrets],
            egress=self._way_to("mercury"),
            base_url=self._endpoints.get("mercury", BASE_URL),
        )

    def _way_to(self, name: str) -> Egress:
        return self._doubles if name in self._endpoints else self._egress

    def _described(self, tenant: UUID) -> TenantAccounts | None:
        path = self._folder / str(tenant) / NAME
        if not path.is_file():
            return None
        try:
            return TenantAccounts.from_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            reason = (
                error.errors(include_url=False, include_input=False)[0]["loc"]
                if isinstance(error, ValidationError)
                else error
            )
            logger.warning("tenant %s: %s cannot be read: %s", tenant, NAME, reason)
            return None

    def _stamp(self, tenant: UUID) -> str:
        """Changes when a file of the tenant changes, as it does when a secret is rotated."""
        files = sorted((self._folder / str(tenant)).iterdir())
        return "|".join(f"{file.name}:{file.stat().st_mtime_ns}" for file in files if file.is_file())
