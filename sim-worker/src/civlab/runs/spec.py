"""What a run is: a scenario's text, overrides, seed, ticks and an ensemble.

Everything that decides a result is in here and covered by `run_hash`; how the work is cut (shards), what it runs on
and where it is kept are not, because results may not depend on them. The scenario's text is a snapshot: editing the
file after a run has started changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
from blake3 import blake3
from pydantic import ValidationError

from civlab.design import MemberPoint, design_parameters, plan_members
from civlab.errors import CivlabError
from civlab.models import model_of, results_of
from civlab.results.declaration import ResultSet
from civlab.results.schema import table_schemas
from civlab.runtime.arrays import Compiled, MemberSpec
from civlab.runtime.model import Model
from civlab.store import Store
from civlab.store.sealed import canonical_json, seal, unseal
from parpour_contracts.run import RunDocument, shard_members
from parpour_contracts.scenario import (
    Scenario,
    ScenarioError,
    canonical,
    override,
    parameters,
    parse_scenario,
)
from parpour_contracts.simulation import MEMBER_LIMIT, SHARD_LIMIT, Ensemble

RUN_FILE = "run.json"
FORMAT = "civlab.run-spec/1"
SEED_LIMIT = 2**63 - 1


@dataclass(frozen=True)
class RunSpec:
    """One run, checked: every member's scenario is known to be valid once `members` has been read.

    `ticks` is resolved (never "the scenario's own"); `transmissions` asks for the transmission trees as a table.
    """

    text: str
    overrides: tuple[tuple[str, str], ...]
    seed: int
    ticks: int
    ensemble: Ensemble
    shards: int
    transmissions: bool = False
    scenario: Scenario = field(repr=False, compare=False, kw_only=True)

    @classmethod
    def create(
        cls,
        text: str,
        *,
        overrides: Mapping[str, str] | None = None,
        seed: int = 0,
        ticks: int | None = None,
        population: int | None = None,
        ensemble: Ensemble | None = None,
        shards: int = 1,
        transmissions: bool = False,
    ) -> RunSpec:
        """Check a run's parts and put them together; `population` overrides how many agents a member has.

        Raises CivlabError with the codes of scenarios and designs, or one of RUN_SEED_OUT_OF_RANGE,
        RUN_MEMBERS_OUT_OF_RANGE, RUN_SHARDS_OUT_OF_RANGE, RUN_PARAMETER_TWICE, RUN_NO_POPULATION and
        RUN_NO_TRANSMISSIONS.
        """
        ensemble = ensemble or Ensemble()
        _within("RUN_SEED_OUT_OF_RANGE", "seed", seed, 0, SEED_LIMIT)
        _within("RUN_MEMBERS_OUT_OF_RANGE", "ensemble.members", ensemble.members, 1, MEMBER_LIMIT)
        _within("RUN_SHARDS_OUT_OF_RANGE", "shards", shards, 1, min(ensemble.members, SHARD_LIMIT))
        with civlab_errors():
            plain = parse_scenario(text)
        given = dict(overrides or {})
        if ticks is not None:
            given["ticks"] = str(ticks)
        if population is not None:
            given[_population_parameter(plain, given)] = str(population)
        for parameter in ensemble.design.parameters:
            if parameter.name in given or parameter.name == "ticks":
                raise CivlabError(
                    "RUN_PARAMETER_TWICE",
                    parameter.name,
                    "has one value for the whole run (an override, or the run's length) and is varied by the design "
                    "too; keep one of the two",
                )
        with civlab_errors():
            scenario = override(plain, given)
        spec = cls(
            text=text,
            overrides=tuple(sorted(given.items())),
            seed=seed,
            ticks=scenario.ticks,
            ensemble=ensemble,
            shards=shards,
            transmissions=transmissions,
            scenario=scenario,
        )
        if transmissions and spec.results.written(on_request=True) == spec.results.written(on_request=False):
            message = f"the model {scenario.model} has no table of transmissions; leave the option out"
            raise CivlabError("RUN_NO_TRANSMISSIONS", "transmissions", message)
        spec._check_design()
        return spec

    @classmethod
    def from_document(cls, document: RunDocument) -> RunSpec:
        """The run that the operator's document asks for. Raises CivlabError as `create` does."""
        return cls.create(
            document.scenario,
            overrides=document.parameters,
            seed=document.seed,
            ticks=document.ticks,
            ensemble=document.ensemble,
            shards=document.shards,
        )

    @classmethod
    def load(cls, store: Store) -> RunSpec:
        """The run that lives in `store`. Raises CivlabError RUN_NOT_FOUND or STORE_OBJECT_DAMAGED."""
        data = store.find(RUN_FILE)
        if data is None:
            raise CivlabError("RUN_NOT_FOUND", store.url, f"there is no run here (no {RUN_FILE})")
        address = store.address(RUN_FILE)
        document = unseal(data, address=address)
        if document.get("format") != FORMAT:
            raise CivlabError(
                "RUN_FORMAT_UNKNOWN",
                address,
                f"is of format {document.get('format')!r}; this version reads {FORMAT}",
            )
        try:
            spec = cls.create(
                document["scenario"],
                overrides=document["parameters"],
                seed=document["seed"],
                ensemble=Ensemble.model_validate(document["ensemble"]),
                shards=document["shards"],
                transmissions=document["transmissions"],
            )
        except (KeyError, TypeError, ValidationError) as fault:
            raise CivlabError("STORE_OBJECT_DAMAGED", address, f"is not a run document: {fault}") from None
        if spec.run_hash != document.get("runHash"):
            raise CivlabError(
                "RUN_FORMAT_UNKNOWN",
                address,
                "this version reads its scenario in another way than the one that wrote it",
            )
        return spec

    def save(self, store: Store) -> None:
        """Write the run's document, once. Raises CivlabError STORE_CONFLICT when another run lives there."""
        store.put_once(RUN_FILE, seal(self.document(), readable=True))

    def document(self) -> dict[str, Any]:
        """The JSON document that `load` reads."""
        return {
            "format": FORMAT,
            "scenario": self.text,
            "parameters": dict(self.overrides),
            "seed": self.seed,
            "ticks": self.ticks,
            "ensemble": self.ensemble.to_wire(),
            "shards": self.shards,
            "transmissions": self.transmissions,
            "scenarioHash": self.scenario_hash,
            "runHash": self.run_hash,
        }

    @cached_property
    def scenario_hash(self) -> str:
        """BLAKE3 of the scenario's canonical form with the overrides in it: comments and layout do not count."""
        return str(blake3(canonical(self.scenario)).hexdigest())

    @cached_property
    def run_hash(self) -> str:
        """BLAKE3 over all that decides the results: the scenario (its ticks too), seed and ensemble."""
        identity = {
            "format": FORMAT,
            "scenario": self.scenario_hash,
            "seed": self.seed,
            "ensemble": self.ensemble.to_wire(),
        }
        return str(blake3(canonical_json(identity)).hexdigest())

    @property
    def model(self) -> Model:
        """The model that the scenario names."""
        return model_of(self.scenario.model)

    @property
    def results(self) -> ResultSet:
        """What a run of the model leaves behind."""
        return results_of(self.scenario.model)

    @property
    def schemas(self) -> dict[str, pa.Schema]:
        """The schema of each table that the run writes."""
        varied = design_parameters(self.ensemble)
        return table_schemas(self.model.metrics, self.results, varied, on_request=self.transmissions)

    @cached_property
    def points(self) -> tuple[MemberPoint, ...]:
        """The members' streams and varied parameters, in order."""
        return plan_members(self.ensemble, seed=self.seed, parameters=parameters(self.scenario))

    def scenario_of(self, point: MemberPoint) -> Scenario:
        """The scenario with a design point's values in it."""
        with civlab_errors():
            return override(self.scenario, dict(point.values))

    def members(self, indices: Sequence[int] | range) -> list[MemberSpec[Compiled]]:
        """The compiled members with these indices; members with equal values share one compiled scenario."""
        compiled: dict[tuple[tuple[str, str], ...], Compiled] = {}
        specs: list[MemberSpec[Compiled]] = []
        for index in indices:
            point = self.points[index]
            if point.values not in compiled:
                compiled[point.values] = self.model.compile(self.scenario_of(point))
            specs.append(MemberSpec(index=index, stream=point.stream, scenario=compiled[point.values]))
        return specs

    def agents(self, index: int) -> int:
        """Agents of one member."""
        value = dict(self.points[index].values).get(self.scenario.agents_path or "")
        return self.scenario.agents if value is None else int(value)

    def shard_range(self, shard: int) -> range:
        """The members of one shard. Raises CivlabError RUN_SHARDS_OUT_OF_RANGE when there is no such shard."""
        _within("RUN_SHARDS_OUT_OF_RANGE", "shard", shard, 0, self.shards - 1)
        return shard_members(members=self.ensemble.members, shards=self.shards, shard=shard)

    def _check_design(self) -> None:
        """Every value of the design alone, and its first and last members whole, make a scenario that compiles."""
        with civlab_errors():
            for parameter in self.ensemble.design.parameters:
                for value in dict.fromkeys((*(parameter.values or ()), parameter.minimum, parameter.maximum)):
                    if value is not None:
                        override(self.scenario, {parameter.name: value})
        self.members(sorted({0, self.ensemble.members - 1}))


@contextmanager
def civlab_errors() -> Iterator[None]:
    """Scenario errors leave as CivlabError with the same three parts."""
    try:
        yield
    except ScenarioError as fault:
        raise CivlabError(fault.code, fault.path, fault.message) from None


def _population_parameter(scenario: Scenario, given: Mapping[str, str]) -> str:
    """The parameter that says how many agents there are; refuses a model without one, and a second value."""
    path = scenario.agents_path
    if path is None:
        message = f"the model {scenario.model} has no population whose size could be set; leave the option out"
        raise CivlabError("RUN_NO_POPULATION", "population", message)
    if path in given:
        message = "is set twice, as the population and by its path; keep one of the two"
        raise CivlabError("RUN_PARAMETER_TWICE", path, message)
    return path


def _within(code: str, path: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise CivlabError(code, path, f"{value} is not within {low}..{high}")
