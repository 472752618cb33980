"""Reads Kubernetes quantities such as 500m, 2 or 512Mi exactly.

A few lines of our own, since lightkube has no reader and the official client is not in the image.
Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal

_SUFFIX = {
    "": Decimal(1),
    "m": Decimal(1) / 1000,
    **{name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)},
}
_FORM = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|Ki|[MGTP]i?)?$", re.ASCII)


def parse_quantity(text: str) -> Decimal:
    """The quantity as a number (cores, bytes, pieces).

    Raises:
        ValueError: if it is not a quantity.
    """
    match = _FORM.match(text)
    if not match:
        raise ValueError(f"not a quantity: {text!r}; write for example 500m, 2 or 512Mi")
    return Decimal(match[1]) * _SUFFIX[match[2] or ""]


def show_bytes(amount: Decimal | int) -> str:
    """The amount in the largest binary unit that is not below one, rounded up, as a quantity."""
    for name in ("Gi", "Mi", "Ki"):
        unit = int(_SUFFIX[name])
        if amount >= 10 * unit:
            return f"{-(-int(amount) // unit)}{name}"
    return f"{int(amount)}"
