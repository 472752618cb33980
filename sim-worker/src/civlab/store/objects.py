"""Objects under one prefix: written once, read back by their hash.

`put_once` lets a second writer succeed when it brings the same bytes and fails by name when it does not: two pods may
work on one shard for a moment, and they may only ever agree. Transient errors are retried with growing pauses,
refusals are not.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import obstore
from blake3 import blake3
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import MemoryStore, ObjectStore

from civlab.errors import CivlabError
from civlab.store.failures import cause, is_refusal

PAUSES = (0.2, 1.0, 4.0)
"""Seconds between attempts, on top of the client's own retries of single requests."""
READ_CHUNK = 1 << 20
Answer = TypeVar("Answer")


class Store:
    """The objects below one prefix of a store.

    `url` is what to call it in messages; `folder` is set when it is a local folder.
    """

    def __init__(
        self,
        backend: ObjectStore,
        url: str,
        *,
        folder: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._backend = backend
        self._sleep = sleep
        self.url = url
        self.folder = folder

    def address(self, path: str) -> str:
        """The full address of one object, for messages and manifests' readers."""
        return f"{self.url}/{path}"

    def get(self, path: str) -> bytes:
        """The object's bytes. Raises CivlabError STORE_OBJECT_MISSING when there is none."""
        data = self.find(path)
        if data is None:
            raise CivlabError("STORE_OBJECT_MISSING", self.address(path), "there is no such object in the store")
        return data

    def find(self, path: str) -> bytes | None:
        """The object's bytes, or None when there is none."""
        return self._attempt(path, lambda: self._read(path))

    def put(self, path: str, data: bytes | memoryview) -> None:
        """Write the object, over what may be there; the caller may change its memory afterwards."""
        if isinstance(self._backend, MemoryStore):
            data = bytes(data)
        self._attempt(path, lambda: obstore.put(self._backend, path, data, use_multipart=False))

    def put_once(self, path: str, data: bytes) -> None:
        """Write an object that may never change.

        Raises CivlabError STORE_CONFLICT when the object stands already with other bytes.
        """

        def create() -> bool:
            try:
                obstore.put(self._backend, path, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

        if not self._attempt(path, create) and self.get(path) != data:
            raise CivlabError(
                "STORE_CONFLICT",
                self.address(path),
                "stands already with other content; another run owns this place, give this one its own",
            )

    def put_addressed(self, folder: str, data: bytes | memoryview) -> str:
        """Write `data` below `folder` under the name of its BLAKE3 hash; the hash comes back in hex.

        It is written even if it stands: what stands may be damaged, and writing equal bytes harms nobody.
        """
        name = str(blake3(data).hexdigest())
        self.put(f"{folder}/{name}", data)
        return name

    def fill_addressed(self, folder: str, name: str, target: memoryview) -> None:
        """Read the object whose BLAKE3 hash is `name` into memory of exactly its size, without a copy besides.

        Raises STORE_OBJECT_MISSING, or STORE_OBJECT_DAMAGED when hash or size are others.
        """
        path = f"{folder}/{name}"

        def fill() -> bool | None:
            hasher, size = blake3(), 0
            try:
                for chunk in obstore.get(self._backend, path).stream(min_chunk_size=READ_CHUNK):
                    piece = memoryview(chunk)
                    if size + len(piece) > len(target):
                        return False
                    hasher.update(piece)
                    target[size : size + len(piece)] = piece
                    size += len(piece)
            except (NotFoundError, FileNotFoundError):
                return None
            return size == len(target) and hasher.hexdigest() == name

        whole = self._attempt(path, fill)
        if whole is None:
            raise CivlabError("STORE_OBJECT_MISSING", self.address(path), "there is no such object in the store")
        if not whole:
            raise CivlabError("STORE_OBJECT_DAMAGED", self.address(path), "its content is not what its name says")

    def exists(self, path: str) -> bool:
        """Whether the object stands."""
        return self.size(path) is not None

    def size(self, path: str) -> int | None:
        """The object's size in bytes, or None when there is none."""

        def head() -> int | None:
            try:
                return int(obstore.head(self._backend, path)["size"])
            except (NotFoundError, FileNotFoundError):
                return None

        return self._attempt(path, head)

    def list(self, folder: str) -> list[str]:
        """Paths of the objects below `folder`, sorted."""

        def names() -> list[str]:
            found: list[str] = []
            for batch in obstore.list(self._backend, prefix=folder.rstrip("/") or None):
                found.extend(str(entry["path"]) for entry in batch)
            return sorted(found)

        return self._attempt(folder, names)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; those that are gone already are no fault."""
        for path in paths:
            self._attempt(path, lambda path=path: self._remove(path))  # type: ignore[misc]

    def digest(self, path: str) -> tuple[str, int]:
        """BLAKE3 hash in hex and size of an object, read as a stream. Raises STORE_OBJECT_MISSING."""

        def measure() -> tuple[str, int] | None:
            hasher, size = blake3(), 0
            try:
                for chunk in obstore.get(self._backend, path).stream(min_chunk_size=READ_CHUNK):
                    hasher.update(memoryview(chunk))
                    size += len(chunk)
            except (NotFoundError, FileNotFoundError):
                return None
            return hasher.hexdigest(), size

        result = self._attempt(path, measure)
        if result is None:
            raise CivlabError("STORE_OBJECT_MISSING", self.address(path), "there is no such object in the store")
        return result

    def sink(self, path: str) -> ByteSink:
        """A file to write one object through, without holding it in memory; it knows its hash and size."""
        return ByteSink(obstore.open_writer(self._backend, path), self.address(path))

    def reader(self, path: str) -> BinaryIO:
        """A seekable file over one object, for readers of Parquet; only what is asked for is fetched.

        Raises STORE_OBJECT_MISSING.
        """
        if self.folder is not None:
            return (self.folder / path).open("rb")
        size = self.size(path)
        if size is None:
            raise CivlabError("STORE_OBJECT_MISSING", self.address(path), "there is no such object in the store")
        return cast("BinaryIO", ByteSource(partial(self._range, path), size))

    def _range(self, path: str, start: int, length: int) -> bytes:
        return self._attempt(path, lambda: bytes(obstore.get_range(self._backend, path, start=start, length=length)))

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._backend, path).bytes())
        except (NotFoundError, FileNotFoundError):
            return None

    def _remove(self, path: str) -> None:
        try:
            obstore.delete(self._backend, path)
        except (NotFoundError, FileNotFoundError):
            return

    def _attempt(self, path: str, act: Callable[[], Answer]) -> Answer:
        pauses: Iterator[float] = iter(PAUSES)
        while True:
            try:
                return act()
            except (BaseError, OSError) as fault:
                if is_refusal(fault):
                    raise CivlabError(
                        "STORE_REFUSED", self.address(path), f"the store refused: {cause(fault)}"
                    ) from None
                pause = next(pauses, None)
                if pause is None:
                    raise CivlabError(
                        "STORE_UNREACHABLE",
                        self.address(path),
                        f"the store did not answer after {len(PAUSES) + 1} attempts: {cause(fault)}",
                    ) from None
                self._sleep(pause)


class ByteSource(io.RawIOBase):
    """A read-only file over an object, which `fetch` reads a piece of: from where, and how many bytes."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, counted from the start, from here or from the end."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def readinto(self, target: object) -> int:
        """Fill memory as far as the object goes. Raises CivlabError as the store does."""
        memory = memoryview(target).cast("B")  # type: ignore[arg-type]
        length = max(0, min(len(memory), self._size - self._place))
        if length:
            memory[:length] = self._fetch(self._place, length)
            self._place += length
        return length


class ByteSink(io.RawIOBase):
    """A write-only file that streams into a store and hashes on the way."""

    def __init__(self, target: obstore.WritableFile, address: str) -> None:
        super().__init__()
        self._target = target
        self._address = address
        self._hasher = blake3()
        self.size = 0

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, data: object) -> int:
        """Append bytes. Raises CivlabError STORE_REFUSED when the store fails."""
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        try:
            self._target.write(piece)
        except (BaseError, OSError) as fault:
            raise self._refused(fault) from None
        self._hasher.update(piece)
        self.size += len(piece)
        return len(piece)

    def discard(self) -> None:
        """Close without completing the object: what stood under its name stays as it was."""
        super().close()

    def close(self) -> None:
        """Complete the object. Raises CivlabError STORE_REFUSED when the store fails."""
        if not self.closed:
            try:
                self._target.close()
            except (BaseError, OSError) as fault:
                raise self._refused(fault) from None
        super().close()

    def hexdigest(self) -> str:
        """BLAKE3 of all that was written."""
        return str(self._hasher.hexdigest())

    def _refused(self, fault: Exception) -> CivlabError:
        return CivlabError("STORE_REFUSED", self._address, f"the object cannot be written: {cause(fault)}")
