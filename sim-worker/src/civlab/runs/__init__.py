"""Running: from a run's specification through shards and checkpoints to a verified manifest."""

from civlab.runs.collect import collect
from civlab.runs.progress import ShardOutcome, ShardProgress
from civlab.runs.shard import run_shard
from civlab.runs.spec import RunSpec

__all__ = ["RunSpec", "ShardOutcome", "ShardProgress", "collect", "run_shard"]
