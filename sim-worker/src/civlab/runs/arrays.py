"""Arrays as content-addressed objects.

An array is stored as its plain little-endian bytes and described (dtype, shape, hash) in the document that names it:
no file format stands between a checkpoint and its hash, and an unchanged column is stored once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.errors import CivlabError
from civlab.store import Store

DTYPES = frozenset(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)) | {"|u1", "|i1", "<f8", "|b1"}


@dataclass(frozen=True)
class StoredArray:
    """Where one array lives: its name, dtype string, shape and the BLAKE3 hash that is its object's name."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    blake3: str

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def document(self) -> dict[str, Any]:
        """The JSON form that `from_document` reads."""
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape), "blake3": self.blake3}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StoredArray:
        """The description in a document. Raises ValueError, KeyError or TypeError when it is none."""
        shape = tuple(int(length) for length in document["shape"])
        if document["dtype"] not in DTYPES or any(length < 0 for length in shape):
            raise ValueError(f"no array has dtype {document['dtype']!r} and shape {shape}")
        return cls(str(document["name"]), str(document["dtype"]), shape, str(document["blake3"]))


def write_array(store: Store, folder: str, name: str, array: NDArray[Any]) -> StoredArray:
    """Write an array below `folder`, from its own memory where it lies there in one piece."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.str not in DTYPES:
        raise ValueError(f"arrays of dtype {plain.dtype.str} are not stored")
    return StoredArray(name, plain.dtype.str, plain.shape, store.put_addressed(folder, _bytes_of(plain)))


def read_array(store: Store, folder: str, stored: StoredArray) -> NDArray[Any]:
    """The array, writable. Raises CivlabError STORE_OBJECT_MISSING or STORE_OBJECT_DAMAGED."""
    array = np.empty(stored.shape, stored.dtype)
    store.fill_addressed(folder, stored.blake3, _bytes_of(array))
    return array


def check_array(store: Store, folder: str, stored: StoredArray) -> None:
    """Read the array without keeping it. Raises CivlabError STORE_OBJECT_MISSING or STORE_OBJECT_DAMAGED."""
    path = f"{folder}/{stored.blake3}"
    if store.digest(path) != (stored.blake3, stored.size):
        raise CivlabError("STORE_OBJECT_DAMAGED", store.address(path), "its content is not what its name says")


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """The memory of an array that lies in one piece."""
    return array.reshape(-1).view(np.uint8).data
