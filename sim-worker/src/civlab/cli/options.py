"""The small languages of two options: `--set path=value` and `--design type:path=…`.

They are parsed here into the same contract models that a Simulation resource holds, so that a shell and a cluster
can never disagree about what a design means.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from civlab.errors import CivlabError
from parpour_contracts.ensembles import LISTING
from parpour_contracts.simulation import Design, DesignParameter, DesignType

DESIGN_TYPES = {
    "replicate": DesignType.REPLICATE,
    "grid": DesignType.GRID,
    "list": DesignType.LIST,
    "lhs": DesignType.LATIN_HYPERCUBE,
    "sobol": DesignType.SOBOL,
}
DESIGN_HELP = (
    "grid:path=1.5,2,2.5 (every combination) or list:path=1.5,2,2.5 (point by point) or lhs:path=1.5..3 or "
    "sobol:path=1.5..3; more parameters after a semicolon"
)


def parse_overrides(settings: Sequence[str]) -> dict[str, str]:
    """`path=value` texts as a mapping. Raises CivlabError SET_MALFORMED or SET_REPEATED."""
    overrides: dict[str, str] = {}
    for setting in settings:
        path, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not path or not value:
            raise CivlabError(
                "SET_MALFORMED", "--set", f"{_shown(setting)} is not path=value, for example disease.r0=2.5"
            )
        if path in overrides:
            raise CivlabError("SET_REPEATED", "--set", f"{path} is set twice; keep one")
        overrides[path] = value
    return overrides


def parse_design(texts: Sequence[str]) -> Design:
    """The design that the `--design` texts describe together; none at all is Replicate.

    Raises CivlabError DESIGN_MALFORMED, naming the text at fault.
    """
    kinds: set[DesignType] = set()
    parameters: list[DesignParameter] = []
    for text in texts:
        name, colon, body = text.partition(":")
        kind = DESIGN_TYPES.get(name.strip().lower())
        if kind is None or bool(body.strip()) is (kind is DesignType.REPLICATE) or (colon and not body.strip()):
            raise _malformed(text, f"it must read {DESIGN_HELP}")
        kinds.add(kind)
        parameters += [_parameter(part, kind) for part in body.split(";") if part.strip()]
    if len(kinds) > 1:
        raise _malformed("; ".join(texts), "one run has one type of design")
    try:
        return Design(type=kinds.pop() if kinds else DesignType.REPLICATE, parameters=tuple(parameters))
    except ValidationError as fault:
        raise _malformed("; ".join(texts), _first(fault)) from None


def _parameter(text: str, kind: DesignType) -> DesignParameter:
    path, equals, body = (part.strip() for part in text.partition("="))
    if not equals or not path or not body:
        raise _malformed(text, "a varied parameter reads path=values")
    try:
        if kind in LISTING:
            return DesignParameter(name=path, values=tuple(value.strip() for value in body.split(",")))
        low, dots, high = (part.strip() for part in body.partition(".."))
        if not dots:
            raise _malformed(text, "a sampled range reads path=minimum..maximum")
        return DesignParameter(name=path, minimum=low, maximum=high)
    except ValidationError as fault:
        raise _malformed(text, _first(fault)) from None


def _malformed(text: str, why: str) -> CivlabError:
    return CivlabError("DESIGN_MALFORMED", "--design", f"{_shown(text)}: {why}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "…")


def _first(fault: ValidationError) -> str:
    error = fault.errors()[0]
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
