"""Currencies and their minor units, and amounts as text.

An amount is an integer count of minor units beside its currency, never a float. Text is read strictly, because an
amount that was mended silently is another amount. Source: ISO 4217, list one of 2026-01-01, without what has no minor
unit (gold, special drawing rights and the like).
"""

from __future__ import annotations

import re

from parpour_treasury.refusals import TreasuryError

INT64_MAX = 2**63 - 1

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
        CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
        HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
        MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
        SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
        VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS = {code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()}
"""Decimals of each currency's minor unit."""

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)
_LONGEST = 40


def exponent_of(currency: str, *, field: str = "currency") -> int:
    """Decimals of a currency's minor unit.

    Raises:
        TreasuryError: CURRENCY_UNKNOWN.
    """
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise TreasuryError("CURRENCY_UNKNOWN", field=field) from None


def parse_amount(text: object, currency: str, *, field: str = "amount") -> int:
    """Minor units of a positive amount, as a caller wrote it: "12.50" of USD is 1250.

    Text alone is taken: a float has lost its last digits already, and an integer does not say which units it counts.

    Raises:
        TreasuryError: AMOUNT_MALFORMED, AMOUNT_TOO_PRECISE, AMOUNT_NOT_POSITIVE, AMOUNT_OUT_OF_RANGE or
            CURRENCY_UNKNOWN.
    """
    minor = _parse(text, currency, field)
    if minor <= 0 or str(text).startswith("-"):
        raise TreasuryError("AMOUNT_NOT_POSITIVE", field=field)
    return _in_range(minor, field)


def parse_limit(text: object, currency: str, *, field: str) -> int:
    """Minor units of a limit, which may be zero or negative, read as strictly as an amount.

    Raises:
        TreasuryError: AMOUNT_MALFORMED, AMOUNT_TOO_PRECISE, AMOUNT_OUT_OF_RANGE or CURRENCY_UNKNOWN.
    """
    return _in_range(_parse(text, currency, field), field)


def _parse(text: object, currency: str, field: str) -> int:
    exponent = exponent_of(currency, field="currency" if "." not in field else f"{field.rpartition('.')[0]}.currency")
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if match is None:
        raise TreasuryError("AMOUNT_MALFORMED", field=field)
    fraction = match["fraction"] or ""
    if len(fraction) > exponent:
        raise TreasuryError("AMOUNT_TOO_PRECISE", field=field, detail=f"{currency} has {exponent} decimals")
    minor = int(match["whole"] + fraction.ljust(exponent, "0"))
    return -minor if match["sign"] else minor


def _in_range(minor: int, field: str) -> int:
    if not -INT64_MAX <= minor <= INT64_MAX:
        raise TreasuryError("AMOUNT_OUT_OF_RANGE", field=field)
    return minor


def format_amount(minor: int, currency: str) -> str:
    """An amount as text with all decimals of its currency: 1250 of USD is "12.50".

    Raises:
        TreasuryError: CURRENCY_UNKNOWN.
    """
    exponent = exponent_of(currency)
    sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(exponent + 1, "0")
    return sign + (f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits)
