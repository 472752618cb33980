"""Keyed random words for designs.

BLAKE3's extendable output, keyed by what the words are for and the run's seed, is the generator: it is exact, has no
state to carry, and is a dependency already. The kernels' Philox is not used, so that a design never shares a word
with a member's own random numbers.
"""

from __future__ import annotations

import struct

from blake3 import blake3


def keyed_words(purpose: str, seed: int, count: int) -> tuple[int, ...]:
    """`count` independent 64-bit words for `purpose`; the same arguments give the same words for ever."""
    stream = blake3(f"{purpose}:{seed}".encode(), derive_key_context="civlab 2026 sampling design words v1").digest(
        length=8 * count
    )
    return struct.unpack(f"<{count}Q", stream)
