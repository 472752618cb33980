"""Digests of a member and of a run, on the host, by BLAKE3.

A member's digest covers its start (scenario, seed, stream, static columns), the head of the chain over all its ticks,
its full state and its metrics at the end. Full states hashed at checkpoints stand beside the chain and not in it, so
how often a run is saved does not change what it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import blake3
import numpy as np


def hash_arrays(context: bytes, arrays: Iterable[np.ndarray]) -> bytes:
    """BLAKE3 over a context and the little-endian bytes of arrays, each after its length."""
    hasher = blake3.blake3(context)
    for array in arrays:
        plain = np.ascontiguousarray(array)
        hasher.update(len(plain).to_bytes(8, "little"))
        if plain.size:
            hasher.update(plain.view(np.uint8).data)
    return hasher.digest()


def head_words(digest: bytes) -> np.ndarray:
    """A digest as the eight little-endian words of a chain head."""
    return np.frombuffer(digest, "<u4").astype("u4")


def head_bytes(words: np.ndarray) -> bytes:
    """A chain head as bytes."""
    return words.astype("<u4").tobytes()


def member_digest(*, start: bytes, head: bytes, state: bytes, metrics: bytes, ticks: int) -> bytes:
    """The digest of one member after `ticks` ticks."""
    return blake3.blake3(b"civlab member 1" + start + head + state + metrics + ticks.to_bytes(8, "little")).digest()


def run_digest(member_digests: Sequence[bytes]) -> bytes:
    """The ordered hash of the members' digests: the digest of a run, independent of how it was cut."""
    return blake3.blake3(b"civlab run 1" + b"".join(member_digests)).digest()
