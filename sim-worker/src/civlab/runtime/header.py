"""C that follows from a model's declaration: the header of its kernels, and the kernels that recount its state.

A dynamic column exists in the recount because it is declared, so none can be forgotten by the proof. The files are
kept under version control for readers; `tools/generate.py` writes them and a drift fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from civlab.runtime.building import PACKAGE
from civlab.runtime.columns import Column, Kind, enumeration, metric_cells, world_declaration
from civlab.runtime.model import MEMBER, Model

NARROW = ("u1", "u2", "u4")
"""Types whose terms in a digest are made of 32 bits."""


def generated_files(model: Model) -> dict[Path, str]:
    """Every generated file of a model."""
    folder = PACKAGE / "models" / model.name / "kernels"
    recounts = {folder / f"recount_{kind.name}.c": recount(model, kind) for kind in model.recounted}
    return {folder / "layout.h": header(model), **recounts}


def notice(model: Model) -> str:
    """The first line of a generated file."""
    return f"/* Generated from civlab/models/{model.name}/layout.py: change that, then `make generate`. */"


def header(model: Model) -> str:
    """The text of kernels/layout.h."""
    guard = f"CIVLAB_{model.name.upper()}_LAYOUT_H"
    cells = metric_cells(model.metrics)
    sizes = {
        **{name.upper(): value for name, value in model.constants.items()},
        "METRICS": sum(metric.cells for metric in model.metrics),
        "DYNAMIC": len(model.dynamic),
        "CHAINED": len(model.chained),
    }
    parts = [
        notice(model),
        f"#ifndef {guard}\n#define {guard}",
        '#include "civlab.h"',
        "\n".join(f"#define {name} {value}u" for name, value in sizes.items()),
        *(enumeration(listed.prefix, listed.names, listed.first) for listed in model.enumerations),
        enumeration("COLUMN", (column.name for column in model.dynamic)),
        enumeration("PHASE", model.chained),
        "\n".join(f"#define METRIC_{name.upper()} {cell}u" for name, cell in cells.items()),
        *(structure.declaration() for structure in model.structures),
        world_declaration(model.columns, model.scalars),
        "#endif\n",
    ]
    return "\n\n".join(part for part in parts if part)


def recount(model: Model, kind: Kind) -> str:
    """The text of kernels/recount_KIND.c: counts the digests of a kind's dynamic columns in full."""
    columns = [column for column in model.dynamic if column.per == kind.name]
    kernel = f"{model.name}_recount_{kind.name}"
    by_tile = bool(kind.tiles)
    lines = [
        notice(model),
        '#include "digest.h"\n#include "layout.h"\n',
        f"/* Not a phase: counts the digest of each dynamic column of the kind {kind.name} in full. */",
        f"FN void {kernel}_{'tile' if by_tile else 'member'}(const struct World *w, u32 tick, u32 "
        + ("tile, u32 lane, u32 lanes) {" if by_tile else "member) {"),
        *walk(kind),
        *(f"    struct Digest of_{column.name} = {{0, 0}};" for column in columns),
        "    u64 *cell;",
        "    (void)tick;",
        loop(kind),
        *(f"        {line}" for column in columns for line in term(column)),
        "    }",
        *(line for column in columns for line in flush(column, by_tile=by_tile)),
        "}\n",
        f"{'TILE' if by_tile else 'MEMBER'}_KERNEL({kernel})\n",
    ]
    return "\n".join(lines)


def walk(kind: Kind) -> Iterator[str]:
    """Where the kernel begins and ends."""
    if kind.tiles:
        yield f"    const u32 member = w->{kind.tiles}_member[tile];"
        yield f"    const u64 first = w->{kind.first}[member];"
        yield f"    const u64 begin = w->{kind.tiles}_begin[tile], end = w->{kind.tiles}_end[tile];"
    elif kind is MEMBER:
        yield "    const u64 first = member, begin = member, end = first + 1;"
    else:
        yield f"    const u64 first = w->{kind.first}[member];"
        yield f"    const u64 begin = first, end = first + w->{kind.count}[member];"


def loop(kind: Kind) -> str:
    """The loop over a piece's entities: those of a tile are shared among lanes."""
    if kind.tiles:
        return "    for (u64 at = begin + lane; at < end; at += lanes) {"
    return "    for (u64 at = begin; at < end; at++) {"


def term(column: Column) -> Iterator[str]:
    """Adds one entity's elements of a column to its digest."""
    wide = column.dtype not in NARROW
    change = "digest_change_u64" if wide else "digest_change"
    element, index = "at", "at - first"
    if column.width > 1:
        yield f"for (u32 part = 0; part < {column.width}; part++)"
        element, index = f"at * {column.width} + part", f"(at - first) * {column.width} + part"
    value = f"w->{column.name}[{element}]"
    value = f"bits_of({value})" if column.dtype == "f8" else f"(u64){value}" if column.dtype == "i8" else value
    number = index if wide else f"(u32)({index})"
    indent = "    " if column.width > 1 else ""
    yield f"{indent}{change}(&of_{column.name}, COLUMN_{column.name.upper()}, {number}, 0, {value});"


def flush(column: Column, *, by_tile: bool) -> Iterator[str]:
    """Adds a digest to the member's cells; one thread walks a member, so nothing need be atomic there."""
    yield f"    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_{column.name.upper()}) * 2;"
    if by_tile:
        yield f"    digest_flush(cell, &of_{column.name});"
    else:
        yield f"    cell[0] += of_{column.name}.low, cell[1] += of_{column.name}.high;"
