"""A small model with everything that the epidemic does not have: several kinds of entity, a kind without tiles, columns
of several elements, 64 and 128 bits and f64, a state that begins nonzero, histories, five digests a tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from civlab.runtime.arrays import Arrays, MemberSpec, tiles_of
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.building import PACKAGE, build, levels
from civlab.runtime.columns import Column, Field, Kind, Metric, proof_columns
from civlab.runtime.header import header, recount
from civlab.runtime.model import Fault, Model
from civlab.runtime.phases import Phase
from civlab.runtime.world import World

TICKS = 7
KERNELS = Path(__file__).parent / "ledger"
METRICS = (
    Metric("mean_rate", "", "stock", "mean of the banks' rates", "f8"),
    Metric("total", "cent", "stock", "all banks' totals", "i16"),
    Metric("turns", "", "stock", "turns taken"),
)
CHAINED = ("move", "sum", "third", "fourth", "fifth")
COLUMNS = (
    Column("balance", "i8", "account", "dynamic", "cent", "may be negative"),
    Column("note", "u1", "account", "dynamic", "", "three notes", 3),
    Column("total", "u8", "bank", "dynamic", "cent", "128 bits", 2),
    Column("rate", "f8", "bank", "dynamic", "", "compounds"),
    Column("turn", "u2", "member", "dynamic", "tick", "turns taken"),
    Column("weight", "u2", "account", "static", "", "what an account gains"),
    Column("tile_member", "u4", "tile", "plan", "", "member of the tile"),
    Column("tile_begin", "u4", "tile", "plan", "", "first slot"),
    Column("tile_end", "u4", "tile", "plan", "", "slot after the last"),
    Column("member_first", "u4", "member", "plan", "", "first account"),
    Column("bank_first", "u8", "member", "plan", "", "first bank"),
    Column("bank_count", "u4", "member", "plan", "", "banks"),
    Column("bank_history", "i8", "bank", "history", "", "by two ticks", 1, 2),
    *proof_columns(dynamic=5, chained=len(CHAINED), metrics=METRICS),
)


@dataclass(frozen=True)
class Ledger:
    """A compiled scenario: how many accounts and banks."""

    accounts: int
    banks: int
    digest: bytes = b"ledger"
    ticks: int = TICKS


def arrange(members: Sequence[MemberSpec[Ledger]], *, seed: int, backend: Backend) -> Arrays:
    """Members one after the other, accounts from multiples of 64."""
    accounts = np.array([member.scenario.accounts for member in members])
    banks = np.array([member.scenario.banks for member in members])
    slots = (accounts // 64 + 1) * 64
    first, bank_first = np.cumsum(slots) - slots, np.cumsum(banks) - banks
    tiles = tiles_of(first, accounts, tile=128)
    sizes = {"member": len(members), "tick": TICKS, "account": int(slots.sum()), "bank": int(banks.sum())}
    arrays = Arrays.empty(MODEL, backend=backend, seed=seed, sizes={**sizes, "tile": len(tiles[0])})
    arrays.record["banks"] = sizes["bank"]
    arrays.lay_out("account", first=first, count=accounts)
    arrays.lay_out("bank", first=bank_first, count=banks)
    for column in COLUMNS:
        arrays.allocate(column.name)
    for name, values in zip(("tile_member", "tile_begin", "tile_end"), tiles, strict=True):
        arrays.put(name, backend.upload(values.astype("u4")))
    arrays.put("member_first", backend.upload(first.astype("u4")))
    arrays.put("bank_first", backend.upload(bank_first.astype("u8")))
    arrays.put("bank_count", backend.upload(banks.astype("u4")))
    return arrays


def generate(arrays: Arrays) -> None:
    """Weights by account, and rates that begin at one."""
    weight = np.zeros(arrays.sizes["account"], "u2")
    for first, count in zip(arrays.segments["account"].first, arrays.segments["account"].count, strict=True):
        weight[first : first + count] = np.arange(count) % 1000
    arrays.put("weight", arrays.backend.upload(weight))
    arrays.put("rate", arrays.backend.upload(np.ones(arrays.sizes["bank"])))


def fault(world: World) -> Fault | None:
    """A member whose turns are not the world's."""
    for number in np.flatnonzero(world.download("turn") != world.tick)[:1]:
        return Fault(int(number), "turns were lost", where="phase sum, bank 0")
    return None


MODEL = Model(
    name="ledger",
    kinds=(
        Kind("account", "an account", first="member_first", tiles="tile"),
        Kind("bank", "a bank", first="bank_first", count="bank_count"),
    ),
    columns=COLUMNS,
    scalars=(
        Field("seed", "u8", "key of all draws"),
        Field("members", "u4", "members held at once"),
        Field("banks", "u4", "banks held at once"),
    ),
    structures=(),
    phases=(
        Phase("move", "ledger_move", "tile", ("balance", "note"), ("balance", "note"), "accounts gain"),
        Phase("sum", "ledger_sum", "member", ("total", "rate"), ("total", "rate", "turn", "history"), "banks compound"),
        Phase("seal", "ledger_seal", "member", ("phase_digest",), ("head",), "seals the tick"),
    ),
    chained=CHAINED,
    metrics=METRICS,
    compile=lambda scenario: scenario,
    arrange=arrange,
    generate=generate,
    fault=fault,
)


def built(folder: Path, *, threads: int = 2, defines: Sequence[str] = ()) -> Backend:
    """A backend whose library holds this model's kernels, the generated ones too."""
    kernels = folder / "models" / "ledger" / "kernels"
    kernels.mkdir(parents=True)
    (folder / "kernels").symlink_to(PACKAGE / "kernels")
    for source in KERNELS.glob("*.c"):
        (kernels / source.name).write_text(source.read_text())
    (kernels / "layout.h").write_text(header(MODEL))
    for kind in MODEL.recounted:
        (kernels / f"recount_{kind.name}.c").write_text(recount(MODEL, kind))
    target = folder / "ledger.so"
    build(levels()[0], target, package=folder, defines=defines)
    return CpuBackend(load(str(target)), threads)
