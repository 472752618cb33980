"""Tree heads, and the signatures that make them checkpoints.

A key is named by the hash of its public half. So a key cannot be passed off as another, and a list of trusted keys has
nothing in it that could be exchanged.

A key hands over to the next by a last checkpoint that names it. Who trusts the first key can so verify what later ones
signed, and a key that has handed over counts for nothing that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
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

SIGNATURE_BYTES = 64
KEY_BYTES = 32

_FIXED = Struct(">4s16sQQ32s32s32sq")

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

    def text(self) -> bytes:
        """The bytes that are signed and hashed: fields of fixed size, numbers big-endian."""
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
        end = _FIXED.size + (KEY_BYTES if encoded.startswith(HANDOVER) else 0)
        if len(encoded) != end + SIGNATURE_BYTES or not encoded.startswith((MAGIC, HANDOVER)):
            raise ValueError("no checkpoint of this version")
        _, tenant, size, blocks, root, previous, key_id, time = _FIXED.unpack_from(encoded)
        head = TreeHead(UUID(bytes=tenant), size, blocks, root)
        return cls(head, previous, key_id, time, encoded[_FIXED.size : end], encoded[end:])

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
