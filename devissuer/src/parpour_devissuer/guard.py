"""Finds live keys of payment providers: where there are some, nobody hands out roles for the asking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LIVE_KEY = re.compile(r"\b(?:sk|rk)_live_[A-Za-z0-9]|mercury_production_[A-Za-z0-9]")
"""How live keys of Stripe (secret and restricted) and of Mercury begin."""

FILE_BYTES_MAX = 1 << 20
FILES_MAX = 10_000


class LiveKeysFound(Exception):
    """Live keys are at hand; the message names where, and shows none."""


def live_keys(environ: Mapping[str, str], folders: Iterable[Path]) -> Iterator[str]:
    """Names of variables and paths of files that hold a live key, or cannot be looked into.

    Raises:
        FileNotFoundError: if a folder does not exist.
    """
    for name, value in sorted(environ.items()):
        if LIVE_KEY.search(value):
            yield f"variable {name}"
    for folder in folders:
        if not folder.exists():
            raise FileNotFoundError(folder)
        for count, path in enumerate(sorted(one for one in folder.rglob("*") if one.is_file())):
            if count >= FILES_MAX or path.stat().st_size > FILE_BYTES_MAX:
                yield f"{path} (too large to look into)"
            elif LIVE_KEY.search(path.read_text(encoding="utf-8", errors="replace")):
                yield f"file {path}"


def refuse_live_keys(environ: Mapping[str, str], folders: Iterable[Path]) -> None:
    """Nothing, if there are none.

    Raises:
        LiveKeysFound: if there are.
    """
    found = list(live_keys(environ, folders))
    if found:
        raise LiveKeysFound(f"live keys of a payment provider in {', '.join(found)}")
