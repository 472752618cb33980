"""A world's snapshot as JSON facts and plain arrays, and back.

The runtime's snapshot is a frozen dataclass; its arrays are stored apart from its facts, so that a column has a hash
of its own, and what there is of each member becomes an array too. Field names are kept, so a checkpoint can be read
with the runtime's documentation in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.runtime.snapshot import MadeArrays, Snapshot

Makers = dict[str, Callable[[], NDArray[Any]]]


def encode_snapshot(snapshot: Snapshot) -> tuple[dict[str, Any], MadeArrays]:
    """The snapshot's JSON facts by field, and its arrays by dotted name; those that the snapshot makes when they are
    asked for are made then."""
    makers: Makers = {}
    facts = {field.name: _encode(getattr(snapshot, field.name), field.name, makers) for field in fields(snapshot)}
    return facts, MadeArrays(makers)


def decode_snapshot(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Snapshot:
    """The snapshot that `encode_snapshot` took apart; its columns are taken from `arrays` when they are asked for.

    Raises KeyError or TypeError for another version's facts.
    """
    return Snapshot(**{name: _decode(value, arrays) for name, value in facts.items()})


def _encode(value: Any, name: str, makers: Makers) -> Any:
    if isinstance(value, np.ndarray):
        return _keep(value, name, makers, "array")
    if isinstance(value, MadeArrays):
        for key in value:
            makers[f"{name}.{key}"] = partial(value.__getitem__, key)
        return {"map": {key: {"array": f"{name}.{key}"} for key in value}}
    if isinstance(value, Mapping):
        return {"map": {key: _encode(item, f"{name}.{key}", makers) for key, item in value.items()}}
    if isinstance(value, tuple) and value and all(isinstance(item, bytes) and len(item) == 32 for item in value):
        return _keep(np.frombuffer(b"".join(value), dtype=np.uint8).reshape(-1, 32), name, makers, "hashes")
    if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        return _keep(np.array(value, dtype=np.int64), name, makers, "integers")
    if isinstance(value, np.integer):
        return int(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a snapshot cannot hold {type(value).__name__} at {name}")


def _keep(array: NDArray[Any], name: str, makers: Makers, kind: str) -> dict[str, str]:
    makers[name] = lambda: array
    return {kind: name}


def _decode(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), *_ = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "map" and all(isinstance(item, dict) and "array" in item for item in content.values()):
        return MadeArrays({key: partial(arrays.__getitem__, item["array"]) for key, item in content.items()})
    if kind == "map":
        return {key: _decode(item, arrays) for key, item in content.items()}
    if kind == "hashes":
        return tuple(bytes(row) for row in arrays[content])
    return tuple(int(item) for item in arrays[content])
