"""Numbers with their nouns, as the shell, reports and pictures say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """The number with its noun: "1 member", "1,200 members"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bands_explained(members: int) -> str:
    """What the lines and bands of charts over so many members are; nothing where there is but one."""
    return "" if members == 1 else "lines are medians; bands hold half and nine tenths of the members"
