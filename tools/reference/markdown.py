"""The little Markdown that reference pages need: tables whose cells cannot break them, and a page's frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    """Text that stands safely in one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(text: object) -> str:
    """Text as inline code for a table's cell, where a bar needs no escape; nothing for nothing."""
    shown = " ".join(str(text).split())
    if not shown:
        return ""
    fence = "``" if "`" in shown else "`"
    pad = " " if fence == "``" else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def page(title: str, *parts: str, source: str) -> str:
    """A whole generated page; `source` says what it is generated from."""
    body = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    return f"# {title}\n\n<!-- Generated from {source} by `make generate`; do not edit. -->\n\n{body}\n"
