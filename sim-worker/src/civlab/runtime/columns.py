"""Declared columns and structures: the one source of the C header, of checkpoints and of the documentation.

A kernel sees a world as one structure of pointers. Its fields are generated from these declarations in order, so a
column cannot exist in C without a meaning in Python, and the generated header is kept under version control.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Role = Literal["static", "dynamic", "scratch", "plan", "derived", "history"]

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

    `dtype` is a NumPy type code, or the name of a declared structure. `per` says what an element belongs to (a kind of
    entity, "member", a set of tiles, or what else the model counts), `width` how many elements belong to each; a
    number of 128 bits is two `u8`, the low one first. Roles: *static* never changes after generation and is hashed
    once; *dynamic* is the state: digested, checkpointed; *scratch* is empty between ticks; *plan* tells kernels where
    things lie; *derived* follows from the rest (counts, digests); *history* holds one row of all entities for every
    `every` ticks, kept by snapshots.
    """

    name: str
    dtype: str
    per: str
    role: Role
    unit: str
    meaning: str
    width: int = 1
    every: int = 1

    def rows(self, ticks: int) -> int:
        """Rows that a history column holds after so many ticks, the one begun last included."""
        return -(-ticks // self.every)


@dataclass(frozen=True)
class Kind:
    """A kind of entity, numbered within its member, in one segment of the kind's columns a member.

    `first` and `count` name the plan columns (one element a member) with a segment's begin and length. `tiles` names
    the set of tiles by which kernels walk the kind: columns TILES_member, TILES_begin and TILES_end; without it,
    entities are so few that one kernel call a member walks them all.
    """

    name: str
    meaning: str
    first: str
    count: str = ""
    tiles: str = ""


@dataclass(frozen=True)
class Metric:
    """A number per member and tick: stock at the tick's end, or flow during it.

    `dtype` is "i8", "f8" (kept as its bits), or "i16": 128 bits in two cells, the low one first.
    """

    name: str
    unit: str
    kind: str
    meaning: str
    dtype: Literal["i8", "f8", "i16"] = "i8"

    @property
    def cells(self) -> int:
        """Cells of 64 bits that it takes in a row of the history."""
        return 2 if self.dtype == "i16" else 1


def metric_cells(metrics: Iterable[Metric]) -> dict[str, int]:
    """First cell of each metric in a row of the history, in order."""
    found: dict[str, int] = {}
    at = 0
    for metric in metrics:
        found[metric.name] = at
        at += metric.cells
    return found


def metric_values(metrics: Iterable[Metric], rows: np.ndarray) -> dict[str, np.ndarray]:
    """By metric, what the cells in int64 [ticks, members, cells] stand for: int64 or float64 [ticks, members], or, for
    a metric of 128 bits, uint64 [ticks, members, 2]."""
    found = {}
    at = 0
    for metric in metrics:
        cells = np.ascontiguousarray(rows[:, :, at : at + metric.cells])
        found[metric.name] = cells.view("u8") if metric.dtype == "i16" else cells.view(metric.dtype)[:, :, 0]
        at += metric.cells
    return found


def proof_columns(*, dynamic: int, chained: int, metrics: Sequence[Metric]) -> tuple[Column, ...]:
    """The columns that every model has: its metrics, and the digests and head by which each tick proves itself."""
    cells = sum(metric.cells for metric in metrics)
    return (
        Column("history", "i8", "member", "history", "", "metrics", cells),
        Column("column_digest", "u8", "member", "derived", "", "running digest of each dynamic column", 2 * dynamic),
        Column(
            "column_recount",
            "u8",
            "member",
            "scratch",
            "",
            "digest of each dynamic column counted in full",
            2 * dynamic,
        ),
        Column("phase_digest", "u8", "member", "scratch", "", "change of the state by each chained phase", 2 * chained),
        Column("head", "u4", "member", "derived", "", "head of the chain, BLAKE3", 8),
    )


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
        per += " and tick" if column.role == "history" else ""
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
