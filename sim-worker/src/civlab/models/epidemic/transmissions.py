"""Who infected whom: the transmission tree of a member, read from its last state."""

from __future__ import annotations

import numpy as np

from civlab.runtime.world import World


def transmissions(world: World, number: int) -> dict[str, np.ndarray]:
    """The transmission tree of a member, by tick and then infected agent: infector (-1 from outside), infected,
    tick and layer (0 community, 1 household, 2 school, 3 work, 4 introduced)."""
    infected_at = world.member_column("infected_at", number)
    infected = np.flatnonzero(infected_at)
    infected = infected[np.argsort(infected_at[infected], kind="stable")]
    return {
        "infector": world.member_column("infector", number)[infected].astype("i4") - 1,
        "infected": infected.astype("i4"),
        "tick": infected_at[infected].astype("i4") - 1,
        "layer": world.member_column("origin", number)[infected] - 1,
    }
