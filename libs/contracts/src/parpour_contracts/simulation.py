"""The `Simulation` resource: an ensemble of worlds that the operator runs as an Indexed Job.

These models are the one source of the CRD (`crd.py`), of the reference page and of what the operator reads. Decimal
numbers are strings on purpose: a float in a resource is not the number that the user wrote.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from parpour_contracts.conditions import Condition
from parpour_contracts.model import Wire
from parpour_contracts.money import Currency, DecimalText, Money

KIND = "Simulation"
PLURAL = "simulations"
NAME_LIMIT = 50
"""Longest name of a Simulation: its pods' names append a suffix, an index and a random tail within 63 characters."""
INLINE_LIMIT = 131_072
"""Longest scenario document, in characters, inline or in a ConfigMap."""
PARAMETER_LIMIT = 64
"""Most parameters that one Simulation may override, and most that a design may vary is DESIGN_LIMIT."""
DESIGN_LIMIT = 16
GRID_LIMIT = 256
"""Most values of one parameter in a Grid or, in a resource, in a List; a List from the shell may be longer."""
MEMBER_LIMIT = 1_000_000
SHARD_LIMIT = 10_000
TICK_LIMIT = 1_000_000

ParameterPath = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[a-z0-9_.\[\]-]+$")]
ParameterText = Annotated[str, Field(min_length=1, max_length=64)]
Quantity = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
        json_schema_extra={"x-quantity": True},
    ),
    BeforeValidator(str),  # YAML writes cpu: 2 without quotes
]
LabelKey = Annotated[str, Field(max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


class ConfigMapKey(Wire):
    """One key of a ConfigMap in the Simulation's namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the ConfigMap."""
    key: Annotated[str, Field(min_length=1, max_length=253)] = "scenario.yaml"
    """Key whose content is the scenario document."""


class ScenarioSource(Wire):
    """Where the scenario document comes from: exactly one of the three."""

    model_config = {
        "json_schema_extra": {
            "x-kubernetes-validations": [
                {
                    "rule": "[has(self.builtin), has(self.configMap), has(self.inline)].filter(x, x).size() == 1",
                    "message": "name exactly one scenario source: builtin, configMap or inline",
                    "reason": "FieldValueInvalid",
                }
            ]
        }
    }

    builtin: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")] | None = (
        None
    )
    """A scenario that ships with the worker; `civlab scenarios` lists them."""
    config_map: ConfigMapKey | None = None
    """A ConfigMap key; its content is copied when the run starts, later edits change nothing."""
    inline: Annotated[str, Field(min_length=1, max_length=INLINE_LIMIT)] | None = None
    """The scenario document itself (YAML, the same as a file given to `civlab run`)."""


class DesignType(StrEnum):
    """How an ensemble's members differ."""

    REPLICATE = "Replicate"
    GRID = "Grid"
    LIST = "List"
    LATIN_HYPERCUBE = "LatinHypercube"
    SOBOL = "Sobol"


class DesignParameter(Wire):
    """One parameter that the design varies."""

    model_config = {
        "json_schema_extra": {
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.values) != (has(self.minimum) && has(self.maximum))"
                    " && has(self.minimum) == has(self.maximum)",
                    "message": "give either values (Grid, List) or both minimum and maximum (LatinHypercube, Sobol)",
                }
            ]
        }
    }

    name: ParameterPath
    """Dotted path of the parameter, for example disease.r0."""
    values: (
        Annotated[
            tuple[ParameterText, ...],
            Field(min_length=1, max_length=MEMBER_LIMIT, json_schema_extra={"maxItems": GRID_LIMIT}),
        ]
        | None
    ) = None
    """The values of a Grid, or a List's value at each of its points, as decimal text."""
    minimum: ParameterText | None = None
    """Lower bound of a sampled range, as decimal text."""
    maximum: ParameterText | None = None
    """Upper bound of a sampled range, as decimal text."""


class Design(Wire):
    """The sampling design of an ensemble."""

    model_config = {
        "json_schema_extra": {
            "x-kubernetes-validations": [
                {
                    "rule": "self.type == 'Replicate' ? !has(self.parameters) || self.parameters.size() == 0"
                    " : has(self.parameters) && self.parameters.size() > 0",
                    "message": "Replicate varies no parameter; every other design needs parameters",
                },
                {
                    "rule": "!(self.type in ['Grid', 'List']) || !has(self.parameters)"
                    " || self.parameters.all(p, has(p.values))",
                    "message": "Grid and List need values for each parameter",
                },
                {
                    "rule": "!(self.type in ['LatinHypercube', 'Sobol']) || !has(self.parameters)"
                    " || self.parameters.all(p, has(p.minimum))",
                    "message": "LatinHypercube and Sobol need minimum and maximum for each parameter",
                },
            ]
        }
    }

    type: DesignType = DesignType.REPLICATE
    """Replicate repeats the scenario with other random numbers; Grid takes every combination of values;
    List takes the first value of each parameter together, then the second of each, and so on; LatinHypercube and Sobol
    sample ranges."""
    parameters: Annotated[
        tuple[DesignParameter, ...],
        Field(
            max_length=DESIGN_LIMIT,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()
    """The parameters that differ between members."""


class Ensemble(Wire):
    """How many worlds are run, and how they differ."""

    members: Annotated[int, Field(ge=1, le=MEMBER_LIMIT)] = 1
    """Number of worlds. In a Grid or List it is a multiple of the number of points: each gets as many replicates."""
    design: Design = Design()
    """How the members differ from each other."""


class Backend(StrEnum):
    """Which device runs the kernels. Results are the same bits on either."""

    AUTO = "Auto"
    CUDA = "CUDA"
    CPU = "CPU"


class Resources(Wire):
    """What each worker pod asks for. Memory also bounds how many members a pod holds at a time."""

    requests: Annotated[dict[LabelKey, Quantity], Field(max_length=8)] = {"cpu": "500m", "memory": "512Mi"}
    """Requested amounts by resource name, for example cpu and memory."""
    limits: Annotated[dict[LabelKey, Quantity], Field(max_length=8)] = {}
    """Limits by resource name; the memory limit defaults to the memory request."""


class Toleration(Wire):
    """A taint that worker pods tolerate, as in a pod's spec."""

    key: Annotated[str, Field(max_length=317)] | None = None
    """Taint key; empty matches every key when operator is Exists."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """How key and value are compared."""
    value: LabelValue | None = None
    """Taint value, for Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect to tolerate; unset tolerates all."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a NoExecute taint is tolerated, in seconds."""


class Checkpoint(Wire):
    """How often a worker writes what it would need to go on elsewhere."""

    every_ticks: Annotated[int, Field(ge=0, le=TICK_LIMIT)] = 30
    """Ticks between checkpoints; 0 checkpoints only when told to stop. The results do not depend on it."""


class Output(Wire):
    """Where results and checkpoints go."""

    url: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^(s3|gs|az)://[^?#\s]+$")]
    """Store prefix, for example s3://results/team-a. The run appends its namespace and UID."""
    secret_name: Annotated[str, Field(min_length=1, max_length=253)]
    """Secret in this namespace whose keys become the store's environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …)."""


class DeletionPolicy(StrEnum):
    """What becomes of stored results when the Simulation is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class SimulationSpec(Wire):
    """What to run, how often, on what, and where the results go."""

    scenario: ScenarioSource
    """The scenario document."""
    parameters: Annotated[dict[ParameterPath, ParameterText], Field(max_length=PARAMETER_LIMIT)] = {}
    """Overrides of the scenario's parameters: dotted path to decimal text, for example disease.r0: "2.5"."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Seed of every random number of the run."""
    ticks: Annotated[int, Field(ge=1, le=TICK_LIMIT)] | None = None
    """Number of ticks; defaults to the scenario's own."""
    ensemble: Ensemble = Ensemble()
    """The worlds of the run."""
    shards: Annotated[int, Field(ge=1, le=SHARD_LIMIT)] | None = None
    """Number of worker pods' indexes; planned from members, population and resources when unset."""
    parallelism: Annotated[int, Field(ge=1, le=SHARD_LIMIT)] | None = None
    """Most worker pods at a time; all shards at once when unset."""
    backend: Backend = Backend.AUTO
    """Auto takes a GPU where a node offers one, else the CPU."""
    resources: Resources = Resources()
    """What each worker pod asks for."""
    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = {}
    """Labels a worker's node must have."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = ()
    """Taints that workers tolerate."""
    priority_class_name: Annotated[str, Field(max_length=253)] | None = None
    """PriorityClass of worker pods."""
    runtime_class_name: Annotated[str, Field(max_length=253)] | None = None
    """RuntimeClass of worker pods."""
    checkpoint: Checkpoint = Checkpoint()
    """How often workers checkpoint."""
    output: Output | None = None
    """Where results go; the operator's default store when unset."""
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    """How often a shard may fail before the run fails. Evictions and lost nodes do not count."""
    active_deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """Longest time that the run may take, in seconds, from its start."""
    suspend: bool = False
    """Stop the workers (they checkpoint) until this is false again. Not for use with queueName."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Delete this resource so many seconds after it finished."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Whether stored results outlive the resource."""
    queue_name: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """Kueue queue; the queue then decides when workers start and stop."""
    budget: Money | None = None
    """The most that the run may cost, kept free in the venture's budget before any pod starts. The run's deadline
    follows from it."""

    @model_validator(mode="after")
    def _exactly_one_source(self) -> SimulationSpec:
        given = [s for s in (self.scenario.builtin, self.scenario.config_map, self.scenario.inline) if s is not None]
        if len(given) != 1:
            raise ValueError("spec.scenario: name exactly one scenario source: builtin, configMap or inline")
        return self


class State(StrEnum):
    """One word for people, derived from the conditions."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class ConditionType(StrEnum):
    """The conditions of a Simulation."""

    ACCEPTED = "Accepted"
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    ERASED = "Erased"
    FUNDED = "Funded"


Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class ShardCounts(Wire):
    """Shards by state."""

    pending: Count = 0
    """Not started, or waiting for a node."""
    active: Count = 0
    """With a running pod."""
    succeeded: Count = 0
    """Finished; the manifest stands in the store."""
    failed: Count = 0
    """Given up after the retries."""


class Progress(Wire):
    """How far the run is; written at most every ten seconds and at transitions."""

    summary: Annotated[str, Field(max_length=32)] = ""
    """For people: percentage of ticks done."""
    shards: ShardCounts = ShardCounts()
    """Shards by state."""
    ticks_done: Count = 0
    """Ticks done, summed over members."""
    ticks_total: Count = 0
    """Ticks to do, summed over members."""
    agent_updates_per_second: Count = 0
    """Agents times ticks, per second, over all workers."""
    seconds_left: Count | None = None
    """Estimate of the time left, in seconds."""
    updated_at: datetime | None = None
    """When this was last written."""


class Metric(Wire):
    """One headline figure over the ensemble."""

    name: Annotated[str, Field(max_length=63)]
    """Name, for example attack_rate."""
    mean: Annotated[str, Field(max_length=40)]
    """Mean over the members, as decimal text."""
    low: Annotated[str, Field(max_length=40)]
    """Lower end of the 90 % interval (5th percentile of the members)."""
    high: Annotated[str, Field(max_length=40)]
    """Upper end of the 90 % interval (95th percentile of the members)."""
    unit: Annotated[str, Field(max_length=40)] = ""
    """Unit of the figure."""


class Result(Wire):
    """What a complete run left behind."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """BLAKE3 digest of the run: equal for equal spec, whatever the shards, restarts or backend."""
    store: Annotated[str, Field(max_length=2048)]
    """Address of the results."""
    members: Count = 0
    """Members whose results were verified."""
    metrics: Annotated[
        tuple[Metric, ...],
        Field(
            max_length=32,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()
    """Headline figures with mean and 90 % interval."""


class Cost(Wire):
    """What the run may cost, what it has used, and what it came to."""

    reservation: Annotated[str, Field(max_length=36)]
    """Identity of the reservation in the treasury."""
    currency: Currency
    """Currency of the amounts."""
    reserved: DecimalText
    """What is kept free for the run."""
    charged: DecimalText | None = None
    """What it came to; never more than was reserved."""
    price_list: Annotated[str, Field(max_length=128)]
    """Version and digest of the price list, pinned when the money was reserved."""
    used_seconds: Count = 0
    """Run time of the stretches that are over (each suspension ends one), grace included."""
    since: datetime | None = None
    """When the stretch began that runs now."""
    worker_seconds: Count | None = None
    """Seconds of all workers, once the run is over."""
    closing_seconds: Count | None = None
    """Seconds of the pod that verified the results."""
    measured: bool | None = None
    """Whether every pod's run time was seen; else the most that they could have run is charged."""


class SimulationStatus(Wire):
    """What was observed. Written by the operator alone."""

    observed_generation: Count = 0
    """The generation of the spec that this status answers."""
    state: State = State.PENDING
    """One word for people, derived from the conditions."""
    scenario: Annotated[str, Field(max_length=253)] | None = None
    """Name of the scenario that runs."""
    shards: Annotated[int, Field(ge=0, le=SHARD_LIMIT)] | None = None
    """Number of shards that were planned."""
    backend: Backend | None = None
    """Device that was chosen."""
    store: Annotated[str, Field(max_length=2048)] | None = None
    """Address that results and checkpoints are written to, whatever the default store is later."""
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    """Accepted, Funded, Running, Complete, Failed, Suspended, Erased, each with reason and message."""
    progress: Progress | None = None
    """How far the run is."""
    worker_image: Annotated[str, Field(max_length=512)] | None = None
    """Worker image with its digest, as the nodes resolved it."""
    result: Result | None = None
    """Digest, address and headline figures of a complete run."""
    cost: Cost | None = None
    """What is reserved and charged in the venture's budget."""
    start_time: datetime | None = None
    """When the workers were created; from then on the spec cannot change."""
    completion_time: datetime | None = None
    """When the run completed or failed."""


class Simulation(Wire):
    """A Simulation resource as the API server serves it; metadata is left as a mapping."""

    api_version: str = "parpour.dev/v1alpha1"
    kind: str = KIND
    metadata: dict[str, Any]
    spec: SimulationSpec
    status: SimulationStatus = SimulationStatus()
