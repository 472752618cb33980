"""Prints how far a civilisation is like real economies: every fact with its band and source, and model SIM's weeks.

`python -m validation.civilisation_facts [--markdown]` with `tests` on the path; its numbers are those that tests judge.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from civlab.models.civilisation.layout import WEEKS
from validation.civilisation_ensemble import LARGE, MEMBERS, SMALL, Ensemble, Size, burn_in, simulate
from validation.godley_lavoie import BOOK, Course, Economy
from validation.godley_lavoie import simulate as simulate_sim
from validation.stylised_facts import FACTS, Finding, find

Rows = list[tuple[str, ...]]
SHOWN = (0, 1, 2, 4, 9, 19, 49, 119)
"""Weeks of model SIM that are printed, from 0."""


def settled(ensemble: Ensemble) -> Ensemble:
    """The ensemble from the first year on in which no series is in its burn-in any more."""
    return ensemble.since(-(-max(tick for tick, _ in burn_in(ensemble).values()) // WEEKS))


def findings(ensemble: Ensemble, size: Size) -> list[Finding]:
    """The facts that are looked for in worlds of this size, of the settled part of the small ones."""
    kept = settled(ensemble) if size == SMALL else ensemble
    return [find(fact, kept) for fact in FACTS if fact.of == size]


def burn_in_rows(ensemble: Ensemble) -> Rows:
    """Where each series settles."""
    return [
        (name, f"{tick}", "yes" if long_enough else "no") for name, (tick, long_enough) in burn_in(ensemble).items()
    ]


def fact_rows(findings: Sequence[Finding]) -> Rows:
    """One row a fact."""
    return [
        (
            found.fact.name,
            f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})",
            f"{found.fact.low:g} to {found.fact.high:g}",
            found.verdict,
            found.fact.source,
        )
        for found in findings
    ]


def sim_rows(course: Course) -> Rows:
    """Output and wealth by week, beside the equations."""
    return [
        (f"{week + 1}", *(f"{side[name][week]:.4f}" for name in ("Y", "H") for side in (course.found, course.due)))
        for week in SHOWN
    ]


def show(title: str, headings: Sequence[str], rows: Rows, *, markdown: bool) -> None:
    """Prints a table."""
    if markdown:
        print(f"**{title}**\n")
        for row in (headings, ["---"] * len(headings), *rows):
            print(f"| {' | '.join(row)} |")
        print()
        return
    table = Table(*headings, title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=200).print(table)


def main() -> None:
    """Runs the ensemble and model SIM, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print Markdown, as the documentation has it")
    markdown = parser.parse_args().markdown
    ensemble = simulate()
    show(
        "Burn-in by MSER-5 of the ensemble's mean",
        ("series", "weeks", "run long enough to tell"),
        burn_in_rows(ensemble),
        markdown=markdown,
    )
    show(
        f"Facts of economies in {MEMBERS} civilisations",
        ("fact", "figure (95 % interval)", "band", "verdict", "source"),
        fact_rows(findings(ensemble, SMALL) + findings(simulate(LARGE), LARGE)),
        markdown=markdown,
    )
    show(
        "Model SIM from nothing, output at rest 100",
        ("week", "Y", "Y due", "H", "H due"),
        sim_rows(simulate_sim(Economy.of(*BOOK), start="nothing")),
        markdown=markdown,
    )


if __name__ == "__main__":
    main()
