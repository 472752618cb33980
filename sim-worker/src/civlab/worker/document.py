"""Reads the run document that a pod mounts.

The operator wrote it and has checked it, and still it is validated in full: the file may come from another version,
and a pod that starts on a wrong document must say so in one line instead of failing later in a kernel.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from civlab.errors import CivlabError
from parpour_contracts.run import RunDocument

SIZE_LIMIT = 2 << 20
"""Bytes; a ConfigMap holds at most one mebibyte."""


def read_document(path: Path) -> RunDocument:
    """The run document at `path`.

    Raises:
        CivlabError: RUN_DOCUMENT_MISSING, RUN_DOCUMENT_TOO_LARGE or RUN_DOCUMENT_WRONG, naming the first field.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as fault:
        raise CivlabError(
            "RUN_DOCUMENT_MISSING",
            str(path),
            f"cannot be read ({fault.strerror}); mount the run's ConfigMap there, or give --run",
        ) from None
    return parse_document(data)


def parse_document(data: bytes) -> RunDocument:
    """The run document in `data`. Raises CivlabError as `read_document` does."""
    if len(data) > SIZE_LIMIT:
        raise CivlabError(
            "RUN_DOCUMENT_TOO_LARGE", "run.json", f"is larger than {SIZE_LIMIT} bytes; shorten the scenario"
        )
    try:
        document = RunDocument.from_json(data)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "run.json"
        more = f" (and {fault.error_count() - 1} more)" if fault.error_count() > 1 else ""
        raise CivlabError("RUN_DOCUMENT_WRONG", where, f"{first['msg']}{more}; apply the Simulation again") from None
    if document.shards > document.ensemble.members:
        raise CivlabError(
            "RUN_DOCUMENT_WRONG", "shards", f"exceeds the {document.ensemble.members} members; lower it or add members"
        )
    return document


def checked_index(document: RunDocument, index: int | None) -> int:
    """The shard to run.

    Raises:
        CivlabError: WORKER_INDEX_WRONG when there is none, or none such.
    """
    if index is None:
        raise CivlabError(
            "WORKER_INDEX_WRONG", "JOB_COMPLETION_INDEX", "is not set; run in an Indexed Job or give --index"
        )
    if index >= document.shards:
        raise CivlabError(
            "WORKER_INDEX_WRONG",
            "JOB_COMPLETION_INDEX",
            f"is {index}, but the run has shards 0 to {document.shards - 1}; the Job's completions must be as many",
        )
    return index
