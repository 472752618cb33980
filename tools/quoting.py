"""Finds what the documentation's pages quote: blocks by language, and the commands that a reader would type.

What people write in pages is held to the code by tests, and this is how those tests read a page.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WRITTEN = sorted(path for path in DOCS.rglob("*.md") if path.parent.name not in ("reference", "decisions"))
WRITTEN.append(ROOT / "README.md")
"""Pages that people write."""

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block: its language and its text."""
JOINED = re.compile(r"\\\n\s*")
SEPARATORS = frozenset({"|", "||", "&&", ";", ">", "<"})


@dataclass(frozen=True)
class Command:
    """One command of a page, as words."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {shlex.join(self.words)}"


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks of one language."""
    return [body for kind, body in FENCE.findall(page.read_text()) if kind == language]


def lines(page: Path) -> Iterator[str]:
    """Lines that a reader would type: those of shell blocks, and of transcripts those after the prompt."""
    for body in (*blocks(page, "bash"), *blocks(page, "sh")):
        yield from JOINED.sub(" ", body).splitlines()
    for body in blocks(page, "console"):
        typed = (line for line in JOINED.sub(" ", body).splitlines() if line.startswith("$ "))
        yield from (line.removeprefix("$ ") for line in typed)


def commands(page: Path) -> list[Command]:
    """Every command of a page, those of pipes and lists one by one."""
    found: list[Command] = []
    for line in lines(page):
        words: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        for word in [*lexer, ";"]:
            if word not in SEPARATORS:
                words.append(word)
                continue
            if words:
                found.append(Command(page, tuple(words)))
            words = []
    return found
