"""Where checkpoints are kept: outside of the database, each written once.

A checkpoint has its number, and a number is taken once. So of two sealers that sign at the same time one finds its
place taken and looks again, and nothing that was said can be replaced through this door.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from parpour_controlplane.chain.checkpoints import Checkpoint
from parpour_controlplane.errors import ControlPlaneError

SHELF = 1000
"""Checkpoints in one folder."""


class PlaceTakenError(Exception):
    """A checkpoint of this number is there already."""


class CheckpointStore(Protocol):
    """Keeps checkpoints of tenants by their number, from 1."""

    def put(self, number: int, checkpoint: Checkpoint) -> None:
        """Keep one; it is on the disk when this returns.

        Raises:
            PlaceTakenError: if the number is taken.
            OSError: if it cannot be kept.
        """

    def last(self, tenant: UUID) -> tuple[int, Checkpoint | None]:
        """The last one with its number, or 0 and None.

        Raises:
            ControlPlaneError: CHECKPOINT_UNREADABLE.
        """

    def read(self, tenant: UUID) -> list[Checkpoint]:
        """All of a tenant, in their order.

        Raises:
            ControlPlaneError: CHECKPOINT_UNREADABLE.
        """

    def tenants(self) -> Iterable[UUID]:
        """Who has checkpoints."""


@dataclass(frozen=True)
class FolderStore:
    """A folder with a folder for each tenant, and in it one file a checkpoint."""

    folder: Path

    def put(self, number: int, checkpoint: Checkpoint) -> None:
        """See `CheckpointStore.put`."""
        path = self._path(checkpoint.head.tenant, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside its place and linked into it: it is there in whole, or not at all.
        draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with draft.open("xb") as file:
                file.write(checkpoint.encode())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise PlaceTakenError(path) from None
        finally:
            draft.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent) if number % SHELF in (0, 1) else (path.parent,):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def last(self, tenant: UUID) -> tuple[int, Checkpoint | None]:
        """See `CheckpointStore.last`."""
        for shelf in sorted(_numbered(self.folder / str(tenant)), reverse=True):
            numbers = _numbered(self.folder / str(tenant) / f"{shelf:09}")
            if numbers:
                number = max(numbers)
                return number, self._read(tenant, number)
        return 0, None

    def read(self, tenant: UUID) -> list[Checkpoint]:
        """See `CheckpointStore.read`."""
        return [self._read(tenant, number) for number in range(1, self.last(tenant)[0] + 1)]

    def tenants(self) -> Iterable[UUID]:
        """See `CheckpointStore.tenants`."""
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                with contextlib.suppress(ValueError):
                    yield UUID(path.name)

    def _path(self, tenant: UUID, number: int) -> Path:
        return self.folder / str(tenant) / f"{number // SHELF:09}" / f"{number:012}"

    def _read(self, tenant: UUID, number: int) -> Checkpoint:
        path = self._path(tenant, number)
        try:
            return Checkpoint.decode(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ControlPlaneError("CHECKPOINT_UNREADABLE", f"{path}: {error}") from None


def _numbered(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
