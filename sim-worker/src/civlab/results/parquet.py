"""Opens a Parquet file of a run, so that reading it starts no thread.

Arrow's pre-buffering reads ahead on a thread of its own, which holds the Python file and lets it go after the reader
has its answer. When the process ends in between, that thread meets an interpreter that is shutting down, and the whole
process aborts ("terminate called without an active exception"). Our files lie on a disk or are in memory by then, so
reading ahead gains nothing.
"""

from __future__ import annotations

from typing import BinaryIO

import pyarrow.parquet as pq


def open_parquet(file: BinaryIO) -> pq.ParquetFile:
    """A table file, open for reading; its reads block and leave nothing behind.

    Raises pyarrow.ArrowException or OSError for bytes that are no Parquet.
    """
    return pq.ParquetFile(file, pre_buffer=False)
