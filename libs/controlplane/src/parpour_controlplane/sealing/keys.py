"""The keys that sign checkpoints: files that the sealer's process alone reads.

No role of the database and no API holds one, so neither can vouch for another history than the one that was sealed.
Kubernetes mounts secrets as root's files that a pod's own group may read; PostgreSQL takes keys on the same terms.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from parpour_controlplane.chain.checkpoints import Checkpoint, SigningKey
from parpour_controlplane.errors import ControlPlaneError

FILE_MODE = 0o600
FILE_BYTES_MAX = 4096
ROOT = 0


@dataclass(frozen=True)
class SigningKeys:
    """Every key that may have signed, the oldest first; the last one signs."""

    keys: tuple[SigningKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("nothing can be signed without a key")

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self.keys[-1]

    def whose_turn(self, last: Checkpoint) -> SigningKey:
        """The key that signs after a checkpoint.

        Raises:
            ControlPlaneError: SIGNING_KEY_MISSING, if it is none of these.
        """
        for key in self.keys:
            if key.key_id == last.signs_next:
                return key
        raise ControlPlaneError(
            "SIGNING_KEY_MISSING", f"key {last.signs_next.hex()[:16]} is needed once more, to hand over to the new one"
        )


def write_signing_key(path: Path, *, seed: bytes) -> SigningKey:
    """Write a new key as PKCS #8 in PEM, readable by its owner alone.

    Raises:
        FileExistsError: if there is a file.
    """
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(descriptor)
    return SigningKey(seed)


def is_exposed(mode: int, *, owner: int, reader: int) -> bool:
    """Whether others than the reader can get at a file; one of root's may be read by the reader's group."""
    shared = stat.S_IRGRP if owner == ROOT and reader != ROOT else 0
    return not stat.S_ISREG(mode) or bool(mode & 0o077 & ~shared)


def read_signing_key(path: Path) -> SigningKey:
    """The key in a file of PEM.

    Raises:
        ControlPlaneError: SIGNING_KEY_EXPOSED, if others than this process' user may read or write the file;
            SIGNING_KEY_UNREADABLE, if it is not there or holds no Ed25519 key.
    """
    try:
        # The very file that is read is looked at, not whatever the name means a moment later.
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            text = file.read(FILE_BYTES_MAX)
    except OSError as error:
        raise ControlPlaneError("SIGNING_KEY_UNREADABLE", f"{path}: {error.strerror}") from None
    if is_exposed(found.st_mode, owner=found.st_uid, reader=os.geteuid()):
        mode = stat.S_IMODE(found.st_mode)
        raise ControlPlaneError("SIGNING_KEY_EXPOSED", f"{path}: mode {mode:o}; give it to its owner alone (chmod 600)")
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ControlPlaneError("SIGNING_KEY_UNREADABLE", f"{path}: no Ed25519 key without a password, in PEM")
    return SigningKey(key.private_bytes_raw())


def read_signing_keys(paths: Sequence[Path]) -> SigningKeys:
    """The keys of these files, the oldest first.

    Raises:
        ControlPlaneError: SIGNING_KEY_EXPOSED or SIGNING_KEY_UNREADABLE.
    """
    if not paths:
        raise ControlPlaneError("SIGNING_KEY_UNREADABLE", "no file of a key was named")
    return SigningKeys(tuple(read_signing_key(path) for path in paths))
