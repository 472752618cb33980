"""A world's snapshot as JSON facts and plain arrays, and back.

The runtime's snapshot is a frozen dataclass; its arrays are stored apart from its facts, so that a column has a hash
of its own, and what there is of each member becomes an array too. Field names are kept, so a checkpoint can be read
with the runtime's documentation in hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.runtime.world import Snapshot


def encode_snapshot(snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The snapshot's JSON facts by field, and its arrays by dotted name."""
    arrays: dict[str, NDArray[Any]] = {}
    facts = {field.name: _encode(getattr(snapshot, field.name), field.name, arrays) for field in fields(snapshot)}
    return facts, arrays


def decode_snapshot(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Snapshot:
    """The snapshot that `encode_snapshot` took apart. Raises KeyError or TypeError for another version's facts."""
    return Snapshot(**{name: _decode(value, arrays) for name, value in facts.items()})


def _encode(value: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, Mapping):
        return {"map": {key: _encode(item, f"{name}.{key}", arrays) for key, item in value.items()}}
    if isinstance(value, tuple) and value and all(isinstance(item, bytes) and len(item) == 32 for item in value):
        arrays[name] = np.frombuffer(b"".join(value), dtype=np.uint8).reshape(-1, 32)
        return {"hashes": name}
    if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        arrays[name] = np.array(value, dtype=np.int64)
        return {"integers": name}
    if isinstance(value, np.integer):
        return int(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a snapshot cannot hold {type(value).__name__} at {name}")


def _decode(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), *_ = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "map":
        return {key: _decode(item, arrays) for key, item in content.items()}
    if kind == "hashes":
        return tuple(bytes(row) for row in arrays[content])
    return tuple(int(item) for item in arrays[content])
