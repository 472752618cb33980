"""Puts a run's shards together: checks every file, and writes the one manifest that makes the run complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from civlab.design import design_parameters
from civlab.errors import CivlabError
from civlab.results.columns import to_numpy
from civlab.results.declaration import Headline
from civlab.results.headline import Spread, spreads
from civlab.results.manifest import RunManifest, ShardManifest
from civlab.results.parquet import open_parquet
from civlab.results.schema import MEMBERS
from civlab.results.tables import TableFile
from civlab.runs.spec import RunSpec
from civlab.runtime.chain import run_digest
from civlab.store import Store


def collect(spec: RunSpec, store: Store) -> RunManifest:
    """Verify every shard's manifest and files, and write the run's manifest.

    Raises CivlabError RUN_NOT_COMPLETE when a shard's manifest is missing, RESULT_MISMATCH when a manifest does not
    belong to the run or a table is not what its manifest says, and the store's codes.
    """
    shards = [_checked_shard(spec, store, shard) for shard in range(spec.shards)]
    tables = tuple(item for manifest in shards for item in manifest.tables)
    for item in tables:
        check_file(store, item)
    digests = [digest for manifest in shards for digest in manifest.digests]
    headlines = spec.results.headlines
    members = _member_table(store, [item for item in tables if item.table == MEMBERS], headlines)
    _check_members(spec, digests, members, store)
    manifest = RunManifest(
        digest=run_digest([bytes.fromhex(digest) for digest in digests]).hex(),
        run=spec.run_hash,
        scenario=spec.scenario_hash,
        title=spec.scenario.title,
        seed=spec.seed,
        ticks=spec.ticks,
        members=len(digests),
        shards=spec.shards,
        parameters=design_parameters(spec.ensemble),
        metrics=_ensemble_spreads(members, headlines),
        tables=tables,
        made_by=tuple(dict.fromkeys(manifest.made_by for manifest in shards)),
    )
    manifest.save(store)
    return manifest


def check_file(store: Store, item: TableFile) -> None:
    """Raises CivlabError RESULT_MISMATCH unless the file is the one that its manifest names."""
    digest, size = store.digest(item.path)
    if (digest, size) != (item.blake3, item.size):
        raise CivlabError(
            "RESULT_MISMATCH",
            store.address(item.path),
            f"has {size} bytes with hash {digest}, but its manifest names {item.size} bytes with hash {item.blake3}",
        )


def _checked_shard(spec: RunSpec, store: Store, shard: int) -> ShardManifest:
    manifest = ShardManifest.find(store, shard)
    path = store.address(ShardManifest.path(shard))
    if manifest is None:
        raise CivlabError("RUN_NOT_COMPLETE", path, f"shard {shard} of {spec.shards} has no manifest yet")
    members = spec.shard_range(shard)
    facts = (manifest.run, manifest.shard, manifest.shards, manifest.first, len(manifest.digests))
    if facts != (spec.run_hash, shard, spec.shards, members.start, len(members)):
        raise CivlabError("RESULT_MISMATCH", path, "belongs to another run, or to another cut of this one")
    if [item.table for item in manifest.tables] != list(spec.schemas):
        raise CivlabError("RESULT_MISMATCH", path, f"names other tables than {', '.join(spec.schemas)}")
    return manifest


def _member_table(store: Store, files: Iterable[TableFile], headlines: Sequence[Headline]) -> pa.Table:
    names = ["member", "digest", *(headline.name for headline in headlines)]
    parts: list[pa.Table] = []
    for item in files:
        with store.reader(item.path) as file:
            parts.append(open_parquet(file).read(columns=names, use_threads=False))
    return pa.concat_tables(parts)


def _check_members(spec: RunSpec, digests: list[str], members: pa.Table, store: Store) -> None:
    """Every member once, in order, with the digest that its shard's manifest names."""
    if members.column("member").to_pylist() != list(range(spec.ensemble.members)):
        raise CivlabError("RESULT_MISMATCH", store.address("tables/members"), "a member is missing or stands twice")
    if members.column("digest").to_pylist() != digests:
        raise CivlabError(
            "RESULT_MISMATCH", store.address("tables/members"), "a member's digest is not the one in the manifest"
        )


def _ensemble_spreads(members: pa.Table, headlines: Sequence[Headline]) -> tuple[Spread, ...]:
    """The headline figures as the integers that the table's shares stand for."""
    figures = {headline.name: to_numpy(members.column(headline.name)) for headline in headlines}
    scales = {headline.name: 10**headline.places for headline in headlines}
    integers = {name: np.rint(values * scales[name]).astype(np.int64) for name, values in figures.items()}
    return spreads(headlines, integers)
