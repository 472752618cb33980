"""The exchange model's tick as data.

All pairs of a round trade at once: a matching gives every agent one partner, so no order among the pairs exists that
threads could change.
"""

from __future__ import annotations

from civlab.runtime.phases import Phase

PHASES = (
    Phase(
        "trade",
        "exchange_trade",
        "tile",
        ("money",),
        ("money", "flow", "column_digest", "phase_digest"),
        "agents meet in pairs drawn anew, and each pair trades by the law",
        streams=("money",),
        beyond=("money",),
    ),
    Phase(
        "audit",
        "exchange_audit",
        "tile",
        ("money",),
        ("audit", "greatest", "square"),
        "counts all money, from the holdings themselves and not from the flows",
        streams=("money",),
    ),
    Phase(
        "record",
        "exchange_record",
        "member",
        ("audit", "greatest", "square", "flow"),
        ("audit", "greatest", "square", "flow", "history", "fault"),
        "checks that money was conserved and nobody is in debt, and writes the metrics",
    ),
    Phase(
        "chain",
        "exchange_chain",
        "member",
        ("phase_digest", "history"),
        ("phase_digest", "head"),
        "seals the tick's changes and metrics with BLAKE3 under the previous head",
    ),
)
