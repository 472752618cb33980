"""Ranges of the parameters that an analysis varies, held to the same rules as a sampled design's.

A value within a range is decimal text of nine significant digits of the range's width (`civlab.design.scale`), whatever
float a library has proposed: the text is the run's identity, and a float is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from pydantic import ValidationError

from civlab.design.points import Range, scaler
from civlab.errors import CivlabError
from parpour_contracts.ensembles import check_ensemble
from parpour_contracts.simulation import DESIGN_LIMIT, Design, DesignParameter, DesignType, Ensemble

NARROWEST = -12
"""Decimal exponent of the narrowest range: its values would need more digits than a document takes."""
PLACE = re.compile(r"ensemble\.design\.parameters\[(?P<index>\d+)\]\.?(?P<field>.*)")


def parse_range(text: str) -> DesignParameter:
    """The range that `NAME=LOW..HIGH` gives. Raises CivlabError RANGE_MALFORMED."""
    name, equals, body = (part.strip() for part in text.partition("="))
    low, dots, high = (part.strip() for part in body.partition(".."))
    try:
        if not (equals and dots and low and high):
            raise ValueError
        return DesignParameter(name=name, minimum=low, maximum=high)
    except (ValidationError, ValueError):
        message = f"{text[:80]!r} is not NAME=LOW..HIGH, for example disease.r0=1.5..3"
        raise CivlabError("RANGE_MALFORMED", "--parameter", message) from None


def checked_ranges(
    ranges: Sequence[DesignParameter], known: Mapping[str, Range], *, where: Callable[[int, str], str]
) -> tuple[Callable[[Fraction], str], ...]:
    """One function a range, from a fraction of [0, 1] to the text of a value.

    `where` names a range and one of its fields ("", "name", "minimum", "maximum") to the user. Raises CivlabError with
    the codes of designs, or RANGE_MALFORMED for none, too many or too narrow ones.
    """
    if not 1 <= len(ranges) <= DESIGN_LIMIT:
        message = f"{len(ranges)} parameters are varied; give from 1 to {DESIGN_LIMIT}"
        raise CivlabError("RANGE_MALFORMED", where(0, ""), message)
    design = Design(type=DesignType.SOBOL, parameters=tuple(ranges))
    for problem in check_ensemble(Ensemble(design=design), known):
        place = PLACE.fullmatch(problem.path)
        path = where(int(place["index"]), place["field"]) if place else problem.path
        raise CivlabError(problem.code, path, problem.message)
    return tuple(_checked(each, known[each.name], where(index, "")) for index, each in enumerate(ranges))


def _checked(each: DesignParameter, known: Range, where: str) -> Callable[[Fraction], str]:
    width = Decimal(each.maximum or 0) - Decimal(each.minimum or 0)
    if width.adjusted() < NARROWEST:
        raise CivlabError("RANGE_MALFORMED", where, f"a range of width {width} is too narrow; make it at least 1e-12")
    try:
        return scaler(each, known)
    except CivlabError as fault:
        raise CivlabError(fault.code, where, f"{each.name} {fault.message}") from None
