"""Prices of metered work, and what follows from them: rates, costs and deadlines as exact arithmetic.

A price list is a document of the platform. Its version and digest are pinned in each reservation together with the
rates that were computed from it, so a later list changes nothing that was reserved.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import Field

from parpour_contracts.funding import SECONDS_LIMIT, ReservationRequest, Seconds, WorkerResources
from parpour_contracts.model import Document
from parpour_contracts.money import Currency, DecimalText
from parpour_treasury.currencies import exponent_of, parse_amount

HOUR = 3600
MILLIS = 1000
MIB_OF_GIB = 1024


class Prices(Document):
    """What an hour costs, in whole units of the currency; more decimals than the currency has are fine for a rate."""

    cpu_hour: DecimalText
    """One core."""
    memory_gib_hour: DecimalText
    """One GiB of memory."""
    gpu_hour: DecimalText
    """One GPU."""


class PriceList(Document):
    """The platform's prices by currency."""

    version: Annotated[str, Field(min_length=1, max_length=48, pattern=r"^[A-Za-z0-9._-]+$")]
    """Name for people."""
    prices: Annotated[dict[Currency, Prices], Field(min_length=1)]
    """By currency."""

    @property
    def identity(self) -> str:
        """Version and digest."""
        return f"{self.version}@{hashlib.sha256(self.canonical()).hexdigest()}"


@dataclass(frozen=True)
class Terms:
    """What was pinned when money was reserved; amounts are minor units, rates minor units a second."""

    price_list: str
    currency: str
    budget: int
    """The most that the work may cost."""
    workers: int
    grace_seconds: int
    rate: Fraction
    """Of one worker."""
    closing_rate: Fraction
    closing_seconds: int
    first: int
    """What is reserved at first."""

    @property
    def closing(self) -> int:
        """What the closing pod costs at most."""
        return math.ceil(self.closing_rate * self.closing_seconds)

    def cost(self, seconds: int) -> int:
        """What a run of so many seconds costs at most: all workers all the time, and their grace."""
        return math.ceil(self.rate * self.workers * (seconds + self.grace_seconds)) + self.closing

    def deadline(self, amount: int) -> int:
        """The run time, in seconds, that an amount pays for."""
        each = self.rate * self.workers
        if each == 0:
            return SECONDS_LIMIT if amount >= self.closing else 0
        whole = math.floor((amount - self.closing) / each) - self.grace_seconds
        return max(0, min(whole, SECONDS_LIMIT))

    def charge(self, *, worker_seconds: int, closing_seconds: int) -> int:
        """What was used costs, begun minor units counted."""
        return math.ceil(self.rate * worker_seconds + self.closing_rate * closing_seconds)

    def covering(self, seconds: int) -> int:
        """What is reserved for a run of so many seconds, within the budget; a spend is of one minor unit at least."""
        return max(1, min(self.budget, self.cost(seconds)))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "priceList": self.price_list,
            "currency": self.currency,
            "budget": self.budget,
            "workers": self.workers,
            "graceSeconds": self.grace_seconds,
            "rate": [self.rate.numerator, self.rate.denominator],
            "closingRate": [self.closing_rate.numerator, self.closing_rate.denominator],
            "closingSeconds": self.closing_seconds,
            "first": self.first,
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """From what was kept."""
        return cls(
            price_list=row["priceList"],
            currency=row["currency"],
            budget=row["budget"],
            workers=row["workers"],
            grace_seconds=row["graceSeconds"],
            rate=Fraction(*row["rate"]),
            closing_rate=Fraction(*row["closingRate"]),
            closing_seconds=row["closingSeconds"],
            first=row["first"],
        )


def rate(prices: Prices, resources: WorkerResources, currency: str) -> Fraction:
    """Minor units that a pod with these resources costs each second."""
    hour = (
        Fraction(prices.cpu_hour) * resources.cpu_millis / MILLIS
        + Fraction(prices.memory_gib_hour) * resources.memory_mib / MIB_OF_GIB
        + Fraction(prices.gpu_hour) * resources.gpus
    )
    return Fraction(hour * 10 ** exponent_of(currency), HOUR)


def price(request: ReservationRequest, prices: PriceList) -> Terms:
    """The terms of a reservation.

    Raises:
        TreasuryError: if the budget is no amount of its currency.
        KeyError: if the list has no prices in the currency.
    """
    currency = request.budget.currency
    budget = parse_amount(request.budget.amount, currency, field="budget.amount")
    tariff = prices.prices[currency]
    closing = request.closing
    seconds: Seconds = closing.seconds if closing is not None else 0
    terms = Terms(
        price_list=prices.identity,
        currency=currency,
        budget=budget,
        workers=request.workers,
        grace_seconds=request.grace_seconds,
        rate=rate(tariff, request.per_worker, currency),
        closing_rate=rate(tariff, closing.resources, currency) if closing is not None else Fraction(0),
        closing_seconds=seconds,
        first=0,
    )
    return Terms(**{**terms.__dict__, "first": terms.covering(request.seconds)})
