"""How much memory a scenario takes, before anything is allocated.

The operator plans shards and refuses with it what cannot fit; civlab's tests hold real allocations and the peaks of
whole runs to it.
"""

from __future__ import annotations

from parpour_contracts.scenario.document import Estimate, Scenario


def estimate(scenario: Scenario, members: int = 1) -> Estimate:
    """Upper bounds for `members` replicates of the scenario held at once."""
    one = scenario.estimate()
    return Estimate(
        bytes=one.bytes * members,
        agents=one.agents * members,
        edges=one.edges * members,
        copies=one.copies * members,
    )
