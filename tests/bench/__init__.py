"""Benchmarks: each module prints the figures that docs/benchmarks.md quotes, as a table or, with --json, as one object.

Thread pools of numerical libraries are held at one thread before any of them is imported, so that CPU seconds compare
work and not parallelism; civlab's own threads are an argument.
"""

import os

for _variable in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
