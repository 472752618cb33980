"""Decides whether a Simulation can run, and as what: the run document and the shape of its Job.

Nothing is started before all of this holds. Checks run in the order in which a user would mend them, and each refusal
names one field and one remedy; the schema has already refused what a schema can see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from parpour_contracts.ensembles import check_ensemble
from parpour_contracts.run import RunDocument, RunIdentity, limit_for
from parpour_contracts.scenario import (
    BUILTIN,
    Scenario,
    ScenarioError,
    estimate,
    override,
    parameters,
    parse_scenario,
)
from parpour_contracts.scenario.errors import nearest
from parpour_contracts.simulation import INLINE_LIMIT, NAME_LIMIT, Backend, SimulationSpec
from parpour_operator.observing import Observed, Resource, ScenarioMissing, ScenarioText
from parpour_operator.quantities import parse_quantity, show_bytes
from parpour_operator.settings import Settings


class Refusal(Exception):
    """The Simulation cannot be run as it stands."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Accepted:
    """What will be run."""

    document: RunDocument
    scenario: str
    """Name for people."""


def camel(code: str) -> str:
    """A stable code as a condition's reason: SCENARIO_OUT_OF_RANGE becomes ScenarioOutOfRange."""
    words = "".join(part.capitalize() for part in code.split("_"))
    return words if words.isalnum() and words.isascii() and words[0].isalpha() else "WorkerFailed"


def store_prefix(resource: Resource, spec: SimulationSpec, settings: Settings) -> str:
    """Address of the run's own prefix; empty if there is no store."""
    base = spec.output.url if spec.output else settings.store_url
    return f"{base.rstrip('/')}/{resource.key.namespace}/{resource.uid}" if base else ""


def known_store(observed: Observed, spec: SimulationSpec, settings: Settings) -> str:
    """Address that the run was told to write to; empty if nothing says it any more, or if there is no store.

    Today's default store is an answer only for a run that never started: it may have been another one before.
    """
    resource, run_map = observed.resource, observed.run_map
    status = resource.status
    if run_map is not None and run_map.document is not None:
        return run_map.document.store
    if status.result is not None:
        return status.result.store
    if status.store is not None:
        return status.store
    return store_prefix(resource, spec, settings) if spec.output is not None or not started(resource) else ""


def find_source(spec: SimulationSpec, config_maps: Mapping[str, Mapping[str, str]]) -> ScenarioText | ScenarioMissing:
    """The scenario's text, given the data of the ConfigMaps that were found by name."""
    source = spec.scenario
    if source.inline is not None:
        return ScenarioText(source.inline)
    if source.builtin is not None:
        if source.builtin in BUILTIN:
            return ScenarioText(BUILTIN[source.builtin])
        hint = nearest(source.builtin, BUILTIN)
        message = f"spec.scenario.builtin: no scenario {source.builtin!r} ships with this version{hint}"
        return ScenarioMissing("ScenarioUnknown", f"{message}; there are {', '.join(sorted(BUILTIN))}")
    reference = source.config_map
    if reference is None:
        return ScenarioMissing("ScenarioMissing", "spec.scenario: name builtin, configMap or inline")
    if reference.name not in config_maps:
        message = f"spec.scenario.configMap.name: no ConfigMap {reference.name!r} in this namespace; create it"
        return ScenarioMissing("ScenarioConfigMapNotFound", message)
    data = config_maps[reference.name]
    if reference.key not in data:
        there = ", ".join(sorted(data)) or "none"
        message = (
            f"spec.scenario.configMap.key: ConfigMap {reference.name!r} has no key {reference.key!r}; it has {there}"
        )
        return ScenarioMissing("ScenarioKeyNotFound", message)
    return ScenarioText(data[reference.key])


def accept(observed: Observed, settings: Settings) -> Accepted:
    """Check everything and plan the run.

    Raises:
        Refusal: with the reason and message of the Accepted condition.
    """
    resource = observed.resource
    spec = readable_spec(resource)
    scenario = _scenario(spec, observed.source)
    shards = plan_shards(spec, scenario, settings, pinned=resource.status.shards if started(resource) else None)
    _check_memory(spec, scenario, settings)
    backend = choose_backend(
        spec, observed.gpu, settings, pinned=resource.status.backend if started(resource) else None
    )
    store = (resource.status.store if started(resource) else None) or store_prefix(resource, spec, settings)
    if not store:
        raise Refusal("NoOutputStore", "spec.output: this installation has no default store; name url and secretName")
    document = RunDocument(
        run=RunIdentity(uid=resource.uid, namespace=resource.key.namespace, name=resource.key.name),
        scenario=observed.source.text if isinstance(observed.source, ScenarioText) else "",
        parameters=spec.parameters,
        seed=spec.seed,
        ticks=spec.ticks or scenario.ticks,
        ensemble=spec.ensemble,
        shards=shards,
        backend=backend,
        checkpoint_every_ticks=spec.checkpoint.every_ticks,
        store=store,
    )
    return Accepted(document=document, scenario=(spec.scenario.builtin or scenario.title)[:253])


def started(resource: Resource) -> bool:
    """Whether workers were ever created."""
    return resource.status.start_time is not None


def readable_spec(resource: Resource) -> SimulationSpec:
    """The spec, and a name that children can be named after.

    Raises:
        Refusal: if this operator cannot read the spec, or the name is too long.
    """
    if resource.spec is None:
        raise Refusal("SpecInvalid", f"spec.{resource.fault}; is the CRD of the operator's version?")
    if len(resource.key.name) > NAME_LIMIT:
        message = f"metadata.name: has {len(resource.key.name)} characters, at most {NAME_LIMIT} are possible"
        raise Refusal("NameTooLong", message)
    return resource.spec


def _scenario(spec: SimulationSpec, source: ScenarioText | ScenarioMissing | None) -> Scenario:
    if isinstance(source, ScenarioMissing):
        raise Refusal(source.reason, source.message)
    if source is None:
        raise Refusal("ScenarioMissing", "spec.scenario: name builtin, configMap or inline")
    if len(source.text) > INLINE_LIMIT:
        message = f"spec.scenario: the document has {len(source.text)} characters, at most {INLINE_LIMIT} are possible"
        raise Refusal("ScenarioTooLarge", message)
    try:
        scenario = parse_scenario(source.text)
    except ScenarioError as error:
        where = f"spec.scenario ({error.path})" if error.path else "spec.scenario"
        raise Refusal(camel(error.code), f"{where}: {error.message}") from error
    try:
        scenario = override(scenario, spec.parameters)
    except ScenarioError as error:
        raise Refusal(camel(error.code), f"spec.parameters[{error.path}]: {error.message}") from error
    for problem in check_ensemble(spec.ensemble, parameters(scenario)):
        raise Refusal(camel(problem.code), f"spec.{problem.path}: {problem.message}")
    return scenario


def plan_shards(spec: SimulationSpec, scenario: Scenario, settings: Settings, *, pinned: int | None) -> int:
    """How many shards: what was asked for, what a started run already has, or as many as have enough work each.

    Raises:
        Refusal: if more shards than members are asked for.
    """
    members = spec.ensemble.members
    if spec.shards is not None:
        if spec.shards > members:
            message = f"spec.shards: {spec.shards} shards for {members} members; a shard holds at least one member"
            raise Refusal("ShardsExceedMembers", message)
        return spec.shards
    if pinned is not None and 1 <= pinned <= members:
        return pinned
    updates = estimate(scenario, members=members).agents * (spec.ticks or scenario.ticks) * scenario.effort
    rate = settings.agent_updates_per_core_second * float(max(cores(spec), Decimal("0.1")))
    wanted = int(updates / rate / settings.shard_seconds)
    return max(1, min(wanted, members, settings.planned_shards_limit))


def cores(spec: SimulationSpec) -> Decimal:
    """Cores that a worker asks for; one where it does not say."""
    return parse_quantity(spec.resources.requests.get("cpu", "1"))


def memory_limit(spec: SimulationSpec) -> str | None:
    """The memory that a worker may use, as a quantity: its limit, else its request."""
    return spec.resources.limits.get("memory") or spec.resources.requests.get("memory")


def memory_field(spec: SimulationSpec) -> str:
    """The field that says how much memory a worker may use, or that could."""
    return f"spec.resources.{'limits' if 'memory' in spec.resources.limits else 'requests'}.memory"


def _check_memory(spec: SimulationSpec, scenario: Scenario, settings: Settings) -> None:
    limit = memory_limit(spec)
    if limit is None:
        return
    largest = _largest_member(spec, scenario)
    if spec.ticks is not None:
        largest = largest.model_copy(update={"ticks": spec.ticks})
    one = estimate(largest, members=1)
    needed = max(one.peak + settings.worker_base_memory, limit_for(one.peak))
    if needed > parse_quantity(limit):
        smaller = f" or lower {scenario.agents_path}" if scenario.agents_path else ""
        message = (
            f"{memory_field(spec)}: one member of {largest.agents} agents needs "
            f"{show_bytes(needed)} ({show_bytes(one.bytes)} its world, {show_bytes(one.copies)} copies for checkpoints "
            f"and tables, {show_bytes(needed - one.peak)} the program), {limit} is asked for; "
            f"raise it to {show_bytes(needed)}{smaller}"
        )
        raise Refusal("PopulationTooLarge", message)


def _largest_member(spec: SimulationSpec, scenario: Scenario) -> Scenario:
    """The scenario with each varied parameter at the value that needs most memory by itself."""
    for index, parameter in enumerate(spec.ensemble.design.parameters):
        ends = (parameter.minimum, parameter.maximum)
        texts = parameter.values or ends
        try:
            choices = [override(scenario, {parameter.name: text}) for text in texts or () if text is not None]
        except ScenarioError as error:
            where = f"spec.ensemble.design.parameters[{index}]"
            raise Refusal(camel(error.code), f"{where}: {error.path}: {error.message}") from error
        scenario = max(choices, key=lambda choice: estimate(choice, members=1).peak, default=scenario)
    return scenario


def choose_backend(spec: SimulationSpec, gpu: bool | None, settings: Settings, *, pinned: Backend | None) -> Backend:
    """CUDA or CPU.

    Raises:
        Refusal: if CUDA is asked for and cannot be had.
    """
    if pinned in (Backend.CUDA, Backend.CPU):
        return pinned
    if spec.backend is Backend.CPU:
        return Backend.CPU
    if spec.backend is Backend.CUDA:
        if gpu is False:
            message = (
                "spec.backend: no node that spec.nodeSelector allows offers nvidia.com/gpu; "
                "add one with its device plugin, or set CPU"
            )
            raise Refusal("NoGpuNode", message)
        if not settings.worker_cuda_image:
            message = "this installation has no worker image for GPUs; set worker.cudaImage in the chart, or CPU"
            raise Refusal("NoGpuImage", f"spec.backend: {message}")
        return Backend.CUDA
    return Backend.CUDA if gpu and settings.worker_cuda_image else Backend.CPU
