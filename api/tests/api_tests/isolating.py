"""What attacks of one tenant upon another are made of, and how their answers are compared."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import asyncpg

from parpour_controlplane.testing import Place

SECRET = "the-secret-of-a"

Attack = tuple[str, str, str]
"""A document, the id of A's that it names, and one that nobody has."""

TABLES = """
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where n.nspname in ('controlplane', 'treasury') and c.relkind in ('r', 'p')
"""


async def fingerprint(place: Place, tenant: UUID) -> dict[str, int]:
    """What an administrator sees of a tenant, table by table."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    found = {}
    for row in await connection.fetch(TABLES):
        query = f"select coalesce(sum(hashtextextended(t::text, 0)), 0) from {row['name']} t where tenant_id = $1"
        found[row["name"]] = await connection.fetchval(query, tenant)
    await connection.close()
    return found


def neutral(body: dict[str, Any], named: str) -> str:
    """An answer without its price, and without the id that was asked for."""
    text = json.dumps({name: value for name, value in body.items() if name != "extensions"})
    return re.sub(rf"\b{re.escape(named)}\b", "ID", text) if named else text
