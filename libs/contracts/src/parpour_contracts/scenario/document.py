"""What every scenario document shares: sections, exact numbers, periods, and what planners ask of any scenario.

A model's document is one class below `Scenario`; the operator, the shell and the designs of ensembles go through the
few members declared here and never ask which model they hold. Numbers that end in a kernel are integers or exact
decimals, because a float would already have lost the digits that the compiler turns into integers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

API_VERSION = "civlab/v1"
MAXIMUM_TICKS = 10_000


@dataclass(frozen=True)
class Estimate:
    """Upper bounds for some worlds in one batch: their bytes, on the device where there is one, agents, and directed
    contacts where there are any; `copies` is what comes on top for a moment, in bytes of the host's memory."""

    bytes: int
    agents: int
    edges: int = 0
    copies: int = 0
    """What is written away and read back of the worlds at a time: a column of a checkpoint, what is sorted or counted
    for tables, the rows of tables until they are written."""

    @property
    def peak(self) -> int:
        """Bytes of the worlds and the copies: what has to fit a machine, the program itself left out."""
        return self.bytes + self.copies


@dataclass(frozen=True)
class Step:
    """A model's time step: the parameter that says how many ticks it is long, and the lengths it may have, finest
    first."""

    path: str
    values: tuple[int, ...]


def exact(value: Any) -> Any:
    """A whole number where a decimal is expected is that decimal; everything else is left to the validation."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Exact = Annotated[Decimal, BeforeValidator(exact)]
Share = Annotated[Exact, Field(ge=0, le=1)]
Tick = Annotated[int, Field(ge=0, le=MAXIMUM_TICKS)]


class Section(BaseModel):
    """Base of all sections: frozen, strict (no number out of text), unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Period(Section):
    """Ticks [from, until); without until, to the end."""

    from_tick: Annotated[Tick, Field(alias="from")] = 0
    """First tick."""
    until: Tick | None = None
    """Tick after the last."""

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """The period is not empty."""
        if self.until is not None and self.until <= self.from_tick:
            raise ValueError("until must be later than from")
        return self


class Scenario(Section):
    """A document of any model: who it is for, how long it runs, and how large one member of it is.

    A model's class narrows `model` to its own name and adds its sections.
    """

    api_version: Annotated[Literal["civlab/v1"], Field(alias="apiVersion")]
    model: str
    title: Annotated[str, Field(min_length=1, max_length=200)]
    ticks: Annotated[int, Field(ge=1, le=MAXIMUM_TICKS)]

    tick_name: ClassVar[str]
    """What one tick is: "day", "week", "year"."""
    agents_path: ClassVar[str | None]
    """The parameter whose value is `agents`; None where no parameter is."""
    step: ClassVar[Step | None] = None
    """The time step that a scenario may choose; None where the rules know no step but the tick."""
    effort: ClassVar[int] = 1
    """How many times the work of an epidemic's agent and day one agent and tick is; shards are planned by it."""
    units: ClassVar[Mapping[str, str]]
    """Units of numbers by the last part of their path."""

    @property
    @abstractmethod
    def agents(self) -> int:
        """Agents of one member: the unit in which work is planned and rates are stated."""

    def shrunk(self, agents: int) -> Self:  # noqa: ARG002
        """The scenario with at most about so many agents, for a short trial; itself where that means nothing."""
        return self

    @abstractmethod
    def estimate(self) -> Estimate:
        """Upper bounds for one member."""
