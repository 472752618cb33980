"""Reads from a kernel's source which columns it may touch: those that its functions and the functions they call name.

A function that a header holds and the kernel does not call does not count, so that a row of the tick can be held to its
kernel in both directions.
"""

from __future__ import annotations

import re
from functools import cache

from civlab.runtime.backend import flat_source, kernel_source

LANES = re.compile(r"#if MANY_LANES\n.*?#else\n(.*?)#endif", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"^(?:FN|PART)\s[^;{}]*?\b(\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
MACRO = re.compile(r"^#define (\w+)\(((?:.*\\\n)*.*)$", re.MULTILINE)
TOUCHED = re.compile(r"\bw\)?->(\w+)")
CHANGED = re.compile(r"\bCHANGE(?:_PART)?\([^,]+,[^,]+,[^,]+,\s*\w+,\s*(\w+)")
CALLED = re.compile(r"\b(\w+)\(")


def functions(text: str) -> dict[str, str]:
    """The text of every function and macro of a flat source by name."""
    found = {match.group(1): match.group(2) for match in MACRO.finditer(text)}
    for match in FUNCTION.finditer(text):
        depth, at = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        found[match.group(1)] = text[match.start() : at]
    return found


@cache
def columns_touched(kernel: str, over: str) -> frozenset[str]:
    """Fields of the world that the kernel names, itself or by what it calls; `over` as in its row of the tick."""
    bodies = functions(COMMENT.sub(" ", LANES.sub(r"\1", flat_source(kernel_source(kernel)))))
    waiting = [f"{kernel}_{'member' if over == 'member' else 'tile'}"]
    seen: set[str] = set()
    touched: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        touched.update(TOUCHED.findall(bodies[name]))
        touched.update(CHANGED.findall(bodies[name]))
        waiting.extend(called for called in CALLED.findall(bodies[name]) if called in bodies)
    return frozenset(touched)
