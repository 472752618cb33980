"""Prints how well civlab agrees with Covasim and Starsim: every p-value, and the means with their ratios.

`python -m validation.report [--json]` with `tests` on the path; the numbers are those that the agreement test judges.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from validation.agreement import (
    BANDS,
    FAMILY_LEVEL,
    Probability,
    Ratio,
    differences,
    figures_of,
    probabilities,
    ratios,
)
from validation.comparison import PEERS, Courses, all_courses


def probability_table(family: list[Probability]) -> Table:
    """One row a test, one column a peer."""
    table = Table(title=f"p-values; {len(differences(family))} of {len(family)} differ (Holm, {FAMILY_LEVEL:g})")
    table.add_column("test")
    for peer in PEERS:
        table.add_column(f"civlab and {peer}", justify="right")
    for test in dict.fromkeys(p.test for p in family):
        table.add_row(test, *(f"{p.value:.3f}" for p in family if p.test == test))
    return table


def mean_table(courses: Courses, found: list[Ratio]) -> Table:
    """Means of each figure, and civlab over each peer with the 95 % interval."""
    means = {name: figures_of(listed) for name, listed in courses.items()}
    table = Table(title="means, and civlab over the peer less one (95 % interval)")
    for heading in ("figure", *courses, *(f"over {peer}" for peer in PEERS), "band"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for name in BANDS:
        values = (f"{means[simulator][name].mean():.2f}" for simulator in courses)
        over = (f"{r.estimate:+.2%} ({r.low:+.2%} to {r.high:+.2%})" for r in found if r.figure == name)
        table.add_row(name, *values, *over, f"±{BANDS[name]:.0%}")
    return table


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    as_json = parser.parse_args().json
    courses = all_courses()
    family = [p for peer in PEERS for p in probabilities(peer, courses["civlab"], courses[peer])]
    found = [ratio for peer in PEERS for ratio in ratios(peer, courses["civlab"], courses[peer])]
    if as_json:
        print(json.dumps({"tests": [asdict(p) for p in family], "ratios": [asdict(r) for r in found]}, indent=2))
        return
    console = Console(width=150)
    console.print(probability_table(family))
    console.print(mean_table(courses, found))


if __name__ == "__main__":
    main()
