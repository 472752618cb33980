"""What an auditor is given for one day of a bank account: one file, the same bytes each time.

The archive is a ZIP without compression, without times of its own, its names in order; each part is JSON in one form,
and `manifest.json` has the SHA-256 of every other part. So two people who made it can compare one digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from parpour_controlplane.database import Database
from parpour_controlplane.migrations import sql
from parpour_treasury.reconciliation.reconciler import midnight

PARTS = ("statements", "entries", "matches", "exceptions", "journals", "events")
"""Parts of a bundle, each the answer to a query of the same name."""

_QUERIES = {name: sql("parpour_treasury", f"queries/evidence_{name}.sql") for name in PARTS}
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a ZIP can name."""


async def evidence(database: Database, context: str, account: int, *, day: date) -> bytes:
    """The bundle of a day (UTC) of a bank account: statements that close on it, what became of their entries, journals
    that take effect on it, and what happened to all of them."""
    parts: dict[str, Any] = {}
    async with database.transaction(context) as connection:
        for name, query in _QUERIES.items():
            rows = await connection.fetch(query, account, day, midnight(day), midnight(day + timedelta(days=1)))
            parts[name] = [json.loads(row["line"]) for row in rows]
    return bundle(parts, about={"account": account, "day": day.isoformat()})


def bundle(parts: Mapping[str, Any], *, about: Mapping[str, Any]) -> bytes:
    """An archive of parts, with a manifest."""
    files = {f"{name}.json": canonical(part) for name, part in parts.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.json"] = canonical({**about, "sha256": digests})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _FIRST_TIME)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def canonical(value: Any) -> bytes:
    """JSON in one form: names in order, no spaces, one line feed at the end."""
    return (
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    )


def faults(archive: bytes) -> list[str]:
    """Parts of a bundle that are not what its manifest says, by name; nothing if all are."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        digests: dict[str, str] = json.loads(opened.read("manifest.json"))["sha256"]
        names = set(opened.namelist()) - {"manifest.json"}
        changed = {
            name for name in names & set(digests) if hashlib.sha256(opened.read(name)).hexdigest() != digests[name]
        }
    return sorted(changed | (names ^ set(digests)))
