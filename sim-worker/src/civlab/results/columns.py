"""Arrow columns from and to NumPy by their buffers.

PyArrow's own conversions import pandas wherever it is installed, which costs a second that a short run does not have;
tables here have neither nulls nor nested types, so their buffers are all there is to them. Tables are read without
Arrow's thread pool: a pool thread that lets go of a Python file while the interpreter ends aborts the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def to_arrow(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """A column without nulls, without a copy where dtypes agree; rows of bytes become hexadecimal text, rows of two
    64-bit limbs (the low one first) decimals."""
    if kind == pa.string():
        text = values.tobytes().hex().encode()
        width = len(text) // max(1, len(values))
        offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(width)
        return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(text))
    if pa.types.is_decimal128(kind):
        limbs = np.ascontiguousarray(values, dtype=np.uint64)
        return pa.Array.from_buffers(kind, len(limbs), [None, pa.py_buffer(limbs)])
    plain = np.ascontiguousarray(values, dtype=kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(plain)])


def to_texts(places: NDArray[Any], labels: Sequence[str]) -> pa.Array:
    """A column of text: the labels at these places."""
    parts = [label.encode() for label in labels]
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int32)
    words = pa.StringArray.from_buffers(len(parts), pa.py_buffer(ends), pa.py_buffer(b"".join(parts)))
    plain = np.ascontiguousarray(places, dtype=np.int32)
    numbers = pa.Array.from_buffers(pa.int32(), len(plain), [None, pa.py_buffer(plain)])
    return pa.DictionaryArray.from_arrays(numbers, words).dictionary_decode()


def to_numpy(column: pa.ChunkedArray) -> NDArray[Any]:
    """The values of a numeric column without nulls. Raises TypeError for text, ValueError for nulls."""
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise TypeError(f"a column of {column.type} is not numeric")
    if column.null_count:
        raise ValueError("the column holds nulls")
    dtype = np.dtype(column.type.to_pandas_dtype())
    parts = [
        np.frombuffer(chunk.buffers()[1], dtype=dtype, count=len(chunk), offset=chunk.offset * dtype.itemsize)
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def to_floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """The values of a numeric column without nulls as f64, 128-bit numbers too. Raises as `to_numpy` does."""
    return to_numpy(column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column).astype(np.float64)
