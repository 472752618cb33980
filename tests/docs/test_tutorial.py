"""The tutorials that need no cluster, run as a reader would: each command, and what it is said to print."""

from __future__ import annotations

from pathlib import Path

import pytest

import record_tutorial
from quoting import ROOT


@pytest.mark.kernel
@pytest.mark.long
@pytest.mark.parametrize("tutorial", record_tutorial.TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_prints_what_it_says(tutorial: Path, tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    (folder / "examples").symlink_to(ROOT / "examples")
    for step in record_tutorial.steps(tutorial.read_text()):
        printed = record_tutorial.run(step, folder)
        if step.output is not None:
            said = record_tutorial.figures(step.output.read_text())
            remedy = "if the model was changed on purpose, run tools/record_tutorial.py"
            assert record_tutorial.figures(printed) == said, f"{step.command}: {remedy}"
