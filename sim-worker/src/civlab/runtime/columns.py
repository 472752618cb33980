"""Declared columns and structures: the one source of the C header, of checkpoints and of the documentation.

A kernel sees a world as one structure of pointers. Its fields are generated from these declarations in order, so a
column cannot exist in C without a meaning in Python, and the generated header is kept under version control.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Per = Literal["agent", "edge", "place", "member", "tile", "scenario", "day", "tick"]
Role = Literal["static", "dynamic", "scratch", "plan", "derived"]

C_TYPES: Mapping[str, str] = {
    "u1": "u8",
    "u2": "u16",
    "u4": "u32",
    "u8": "u64",
    "i8": "i64",
    "f8": "double",
}


@dataclass(frozen=True)
class Column:
    """One array of a world.

    `dtype` is a NumPy type code, or the name of a declared structure. `per` says what an element belongs to, `width`
    how many elements belong to each. Roles: *static* never changes after generation and is hashed once; *dynamic* is
    the state: digested, checkpointed; *scratch* is empty between ticks; *plan* tells kernels where things lie;
    *derived* follows from the rest (counts, digests, history).
    """

    name: str
    dtype: str
    per: Per
    role: Role
    unit: str
    meaning: str
    width: int = 1


@dataclass(frozen=True)
class Field:
    """One field of a structure that kernels read: scalar (count 0) or array, row-major."""

    name: str
    dtype: str
    meaning: str
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Structure:
    """A C structure and its NumPy twin, fields ordered so that natural alignment leaves no holes in the middle."""

    name: str
    fields: tuple[Field, ...]

    def dtype(self) -> np.dtype[np.void]:
        """The NumPy type with the C layout."""
        return np.dtype([(f.name, np.dtype(f.dtype), f.shape) for f in self.fields], align=True)

    def declaration(self) -> str:
        """The structure in C, with an assertion of its size."""
        lines = [f"struct {self.name} {{"]
        for f in self.fields:
            extent = "".join(f"[{n}]" for n in f.shape)
            lines.append(f"    {C_TYPES[f.dtype]} {f.name}{extent}; /* {f.meaning} */")
        lines.append("};")
        size = self.dtype().itemsize
        lines.append(f'CIVLAB_STATIC_ASSERT(sizeof(struct {self.name}) == {size}, "layout of {self.name}");')
        return "\n".join(lines)


def world_dtype(columns: Sequence[Column], scalars: Sequence[Field]) -> np.dtype[np.void]:
    """The structure that a kernel receives: a pointer a column, then the scalars."""
    pointers = [(column.name, np.dtype("u8")) for column in columns]
    return np.dtype(pointers + [(f.name, np.dtype(f.dtype)) for f in scalars], align=True)


def world_declaration(columns: Sequence[Column], scalars: Sequence[Field]) -> str:
    """The world structure in C."""
    lines = ["struct World {"]
    for column in columns:
        kind = C_TYPES.get(column.dtype, f"struct {column.dtype}")
        per = f"{column.width} per {column.per}" if column.width > 1 else f"per {column.per}"
        lines.append(f"    {kind} *{column.name}; /* {per}, {column.unit or 'no unit'}: {column.meaning} */")
    lines.extend(f"    {C_TYPES[f.dtype]} {f.name}; /* {f.meaning} */" for f in scalars)
    lines.append("};")
    size = world_dtype(columns, scalars).itemsize
    lines.append(f'CIVLAB_STATIC_ASSERT(sizeof(struct World) == {size}, "layout of World");')
    return "\n".join(lines)


def enumeration(prefix: str, names: Iterable[str], first: int = 0) -> str:
    """Constants PREFIX_NAME = first, first + 1, …; raises ValueError on a name given twice."""
    listed = list(names)
    if len(set(listed)) != len(listed):
        raise ValueError(f"{prefix}: a name is given twice in {listed}")
    constants = [f"#define {prefix}_{name.upper()} {first + i}u" for i, name in enumerate(listed)]
    return "\n".join(constants)
