"""Prints how unemployment answers to the ratio of hiring to dismissing in Mark-0 and in a civilisation, and draws it.

`PYTHONPATH=tests .venv/bin/python -m validation.mark0_report [PICTURE]` prints the table of
docs/explanation/civilisation-facts.md in two minutes of one core; with PICTURE it draws its picture, a PNG.
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.figure import Figure

from civlab.runtime.backend import Backend
from validation.mark0 import ADAPTED, PAPER, WEEKS, civilisation, mark0, place_of

RATIOS = (0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 5.0, 10.0)
NAMES = ("Mark-0", "Mark-0, adapted", "civilisation")


def main() -> int:
    """Print the table and draw the picture; returns the exit status."""
    programs = [[mark0(ratio, rules, steps=WEEKS)[-50:].mean() for ratio in RATIOS] for rules in (PAPER, ADAPTED)]
    found = np.array([*programs, civilisation(RATIOS, backend=Backend.cpu(2))[:, 0, -50:].mean(axis=1)])
    print(f"| R | {' | '.join(NAMES)} |\n| --- | --- | --- | --- |")
    for ratio, row in zip(RATIOS, found.T, strict=True):
        print(f"| {ratio:g} | {' | '.join(f'{100 * value:.1f} %' for value in row)} |")
    print(f"| tips at | {' | '.join(f'{place_of(RATIOS, row):.2f}' for row in found)} |")
    for path in sys.argv[1:]:
        figure = Figure(figsize=(7, 4), dpi=80, layout="constrained")
        axes = figure.subplots()
        for name, row, style in zip(NAMES, found, ("--", ":", "o-"), strict=True):
            axes.plot(RATIOS, 100 * row, style, label=name)
        axes.set_xscale("log")
        axes.set_xlabel("hiring over dismissing, R")
        axes.set_ylabel(f"unemployment after {WEEKS:,} weeks, %")
        axes.legend()
        figure.savefig(path, metadata={"Software": None})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
