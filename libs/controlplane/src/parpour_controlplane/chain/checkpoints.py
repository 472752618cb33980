"""Tree heads, and the signatures that make them checkpoints.

A key is named by the hash of its public half. So a key cannot be passed off as another, and a list of trusted keys has
nothing in it that could be exchanged.

A key hands over to the next by a last checkpoint that names it. Who trusts the first key can so verify what later ones
signed, and a key that has handed over counts for nothing that follows.

A checkpoint covers no less than the one before, but for a resumption: by it people say that a database was set back and
that its history goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from math import inf
from struct import Struct
from typing import TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parpour_controlplane.chain.blocks import NOTHING
from parpour_controlplane.chain.headers import microseconds
from parpour_controlplane.chain.merkle import leaf_hash

MAGIC = b"ppc1"
"""How a checkpoint of this version begins; the signature covers it, so that it fits no other kind of text."""

HANDOVER = b"ppk1"
"""How one begins that hands over to another key; that key stands at its end."""

RESUMPTION = b"ppr1"
"""How one begins that lets a history go on with less than was signed; what is said of it stands at its end."""

SIGNATURE_BYTES = 64
KEY_BYTES = 32
BY_MAX = 200
REASON_MAX = 500
"""Characters of what is said of a resumption."""

_FIXED = Struct(">4s16sQQ32s32s32sq")
_SAID = Struct(">QHH")

Keys: TypeAlias = Mapping[bytes, Ed25519PublicKey]
"""Trusted public keys by their id."""


def trusted(public_keys: Iterable[bytes]) -> Keys:
    """Public keys, 32 bytes each, under their ids.

    Raises:
        ValueError: if one is no Ed25519 key.
    """
    return {sha256(raw).digest(): Ed25519PublicKey.from_public_bytes(raw) for raw in public_keys}


class SigningKey:
    """The private half; only the sealer's signer holds one, neither the API nor the database."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        """The public half, 32 bytes."""
        self.key_id = sha256(self.public).digest()
        """What checkpoints name it by."""

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id.hex()[:16]})"

    def sign(self, text: bytes) -> bytes:
        """The signature of a text."""
        return self._key.sign(text)


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a tenant's history has come to."""

    tenant: UUID
    size: int
    """Number of events, which is the position of the last."""
    blocks: int
    """Number of blocks, the leaves of the tree."""
    root: bytes


@dataclass(frozen=True, slots=True)
class Resumption:
    """What people say of a history that goes on with less than was signed."""

    lost: int
    """The last position that was signed before, and is lost."""
    by: str
    reason: str

    def __post_init__(self) -> None:
        if not (1 <= len(self.by) <= BY_MAX and 1 <= len(self.reason) <= REASON_MAX):
            raise ValueError(f"a resumption says by whom in 1 to {BY_MAX} characters, and why in 1 to {REASON_MAX}")

    def encode(self) -> bytes:
        """The position, the length of each text in bytes, and the texts in UTF-8."""
        by, reason = self.by.encode(), self.reason.encode()
        return _SAID.pack(self.lost, len(by), len(reason)) + by + reason

    @classmethod
    def decode(cls, encoded: bytes) -> Resumption:
        """What was said.

        Raises:
            ValueError: if it is nothing of the kind.
        """
        if len(encoded) < _SAID.size:
            raise ValueError("a resumption that was cut short")
        lost, by, reason = _SAID.unpack_from(encoded)
        texts = encoded[_SAID.size :]
        if len(texts) != by + reason:
            raise ValueError("a resumption of another length than it says")
        return cls(lost, texts[:by].decode(), texts[by:].decode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head at a time, under a key, after another checkpoint; and its signature."""

    head: TreeHead
    previous: bytes
    """Hash of the checkpoint before, or `NOTHING`."""
    key_id: bytes
    time: int
    """Microseconds since 1970, by the signer's clock."""
    successor: bytes = b""
    """Public key that signs from here on, if it is another one."""
    signature: bytes = b""
    resumption: Resumption | None = None
    """Why it covers less than the one before, if it does; it then hands over to no other key."""

    def text(self) -> bytes:
        """The bytes that are signed and hashed: fields of fixed size, numbers big-endian, then what not each has."""
        if self.resumption is not None:
            return self._fixed(RESUMPTION) + self.resumption.encode() + self.successor
        return self._fixed(HANDOVER if self.successor else MAGIC) + self.successor

    def _fixed(self, magic: bytes) -> bytes:
        head = self.head
        return _FIXED.pack(
            magic,
            head.tenant.bytes,
            head.size,
            head.blocks,
            head.root,
            self.previous,
            self.key_id,
            self.time,
        )

    @property
    def signs_next(self) -> bytes:
        """Id of the key whose turn it is after this one."""
        return sha256(self.successor).digest() if self.successor else self.key_id

    @property
    def hash(self) -> bytes:
        """What the next checkpoint names it by."""
        return leaf_hash(self.text())

    def encode(self) -> bytes:
        """The form in which it is kept: text and signature."""
        return self.text() + self.signature

    @classmethod
    def decode(cls, encoded: bytes) -> Checkpoint:
        """The checkpoint that was kept; its signature is not looked at.

        Raises:
            ValueError: if it is none.
        """
        magic, end = encoded[: len(MAGIC)], len(encoded) - SIGNATURE_BYTES
        more = encoded[_FIXED.size : end]
        length = {MAGIC: 0, HANDOVER: KEY_BYTES, RESUMPTION: len(more)}.get(magic)
        if end < _FIXED.size or len(more) != length:
            raise ValueError("no checkpoint of this version")
        resumption = Resumption.decode(more) if magic == RESUMPTION else None
        _, tenant, size, blocks, root, previous, key_id, time = _FIXED.unpack_from(encoded)
        head = TreeHead(UUID(bytes=tenant), size, blocks, root)
        return cls(head, previous, key_id, time, b"" if resumption else more, encoded[end:], resumption)

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is this key's."""
        try:
            key.verify(self.signature, self.text())
        except InvalidSignature:
            return False
        return True


def sign(
    head: TreeHead, *, after: Checkpoint | None, key: SigningKey, at: datetime, successor: bytes = b""
) -> Checkpoint:
    """The checkpoint of a tree head; with a successor, the last one of this key.

    Raises:
        ValueError: if the history would have become shorter, or another tenant's.
    """
    if after and (after.head.tenant != head.tenant or after.head.size > head.size):
        raise ValueError("a checkpoint follows one of the same tenant that is no longer")
    bare = Checkpoint(head, after.hash if after else NOTHING, key.key_id, microseconds(at), successor)
    return replace(bare, signature=key.sign(bare.text()))


def resume(head: TreeHead, *, after: Checkpoint, key: SigningKey, at: datetime, by: str, reason: str) -> Checkpoint:
    """The checkpoint by which a history goes on from a head that is behind the last one.

    Raises:
        ValueError: if nothing is lost, it is another tenant's, or too little or too much is said of it.
    """
    if after.head.tenant != head.tenant or after.head.size <= head.size or after.head.blocks <= head.blocks:
        raise ValueError("a resumption follows a checkpoint of the same tenant that is longer")
    said = Resumption(after.head.size, by, reason)
    bare = Checkpoint(head, after.hash, key.key_id, microseconds(at), resumption=said)
    return replace(bare, signature=key.sign(bare.text()))


def covered(checkpoints: Sequence[Checkpoint]) -> list[bool]:
    """Whether each still tells of blocks that the history has: no later resumption covers fewer than it."""
    left: float = inf
    found = []
    for checkpoint in reversed(checkpoints):
        found.append(checkpoint.head.blocks <= left)
        if checkpoint.resumption is not None:
            left = min(left, checkpoint.head.blocks)
    return found[::-1]


def given_up(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Of what each resumption let go of, the first checkpoint: a history that agrees with it is of what was lost."""
    found = []
    for number, resumption in enumerate(checkpoints):
        if resumption.resumption is None:
            continue
        before = checkpoints[:number]
        lost = [
            checkpoint
            for checkpoint, still in zip(before, covered(before), strict=True)
            if still and checkpoint.head.size > resumption.head.size
        ]
        found += lost[:1]
    return found
