"""Reading a run's tables leaves no thread behind that the end of the process could meet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COUNT = """
import os, sys
from civlab.results.parquet import open_parquet

threads = lambda: len(os.listdir("/proc/self/task"))
with open(sys.argv[1], "rb") as file:
    before = threads()
    parquet = open_parquet(file)
    assert parquet.read(use_threads=False).num_rows == 3000
    assert parquet.read_row_group(1, columns=["a"], use_threads=False).num_rows == 1000
    print(threads() - before)
"""


def test_reading_a_table_starts_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": list(range(3000)), "b": ["x"] * 3000}), path, row_group_size=1000)
    ran = subprocess.run([sys.executable, "-c", COUNT, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout == "0\n"
