"""Runs in an embedded database, and the research queries that each model ships as SQL files.

DuckDB reads them, which only the extra `analysis` installs: nothing here imports it before it is used, and no other
part of civlab knows of it.
"""
