"""Merkle trees of RFC 9162 (2.1), which are those of RFC 6962 over SHA-256.

Leaves and nodes are hashed under different first bytes, so that no leaf can be passed off as a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32
"""Length of every hash."""

LEAF = b"\x00"
NODE = b"\x01"

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf's content."""
    return sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the node over two hashes."""
    return sha256(NODE + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaves that are hashed already.

    Level by level, the odd one out moves up as it is: the same tree as the standard's, which splits at the largest
    power of two below the number of leaves.
    """
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [sha256(NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level += odd
    return level[0]


class GrowingTree:
    """A tree that only grows; it keeps one hash for each full subtree, so a billion leaves take thirty."""

    def __init__(self, *, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} full subtrees, not {len(peaks)}")
        self._full = list(peaks)
        self._size = size

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Hashes of the full subtrees, the largest first: with the size, all that it takes to go on."""
        return tuple(self._full)

    def append(self, leaf: bytes) -> None:
        """Add a leaf that is hashed already."""
        node, rest = leaf, self._size
        while rest & 1:
            node = node_hash(self._full.pop(), node)
            rest >>= 1
        self._full.append(node)
        self._size += 1

    def root(self) -> bytes:
        """Root over all leaves so far."""
        if not self._full:
            return EMPTY
        root = self._full[-1]
        for left in reversed(self._full[:-1]):
            root = node_hash(left, root)
        return root
