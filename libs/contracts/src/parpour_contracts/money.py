"""An amount of money as people and resources write it: decimal text beside its currency.

Text on purpose: a float in a resource is not the number that the user wrote. How many decimals a currency has is the
treasury's knowledge (ISO 4217), so the schema bounds the form alone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from parpour_contracts.model import Wire

Currency = Annotated[str, Field(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$")]
DecimalText = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$")]


class Money(Wire):
    """An amount in one currency."""

    amount: DecimalText
    """Decimal text in whole units of the currency, for example "12.50"."""
    currency: Currency
    """Code of ISO 4217, for example USD."""
