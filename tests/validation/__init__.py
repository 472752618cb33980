"""Comparison with other simulators, which are told before their first import to be quiet and to fetch no fonts."""

import os

os.environ.setdefault("COVASIM_VERBOSE", "0")
os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")
os.environ.setdefault("MPLBACKEND", "agg")
