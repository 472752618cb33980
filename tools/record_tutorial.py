"""Runs the commands of the tutorials that need no cluster, and writes down what they print.

The tutorials quote these outputs from files. A test runs the same steps and compares, so a page cannot promise a
digest that no longer comes out; only figures are compared, those of times and rates left out.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quoting import DOCS, FENCE, ROOT

TUTORIALS = tuple(DOCS / "tutorials" / f"{name}.md" for name in ("civlab-on-a-laptop", "two-nations"))

QUOTED = re.compile(r'--8<-- "([^"]+)"')
VARIES = re.compile(r"\d+(\.\d+)? s\b|a second")
"""Lines that tell how long something took."""
NUMBER = re.compile(r"[0-9a-f]{64}|\d[\d.,]*")


@dataclass(frozen=True)
class Step:
    """A command of the page, and the file that the page quotes as its output, if it does."""

    command: str
    output: Path | None


def steps(page: str) -> list[Step]:
    """The page's commands in order: blocks of shell and of Python."""
    found: list[Step] = []
    for language, body in FENCE.findall(page):
        quoted = QUOTED.fullmatch(body.strip())
        if language == "bash":
            found.append(Step(body.strip(), None))
        elif language == "python":
            found.append(Step(f"python -c {shlex.quote(body)}", None))
        elif language == "text" and quoted is not None:
            found[-1] = Step(found[-1].command, ROOT / quoted.group(1))
    return found


def run(step: Step, folder: Path) -> str:
    """What the step prints on standard output, without the folder's own path.

    Raises:
        subprocess.CalledProcessError: if the command fails.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", step.command],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = (line.rstrip() for line in done.stdout.replace(f"{folder}/", "").splitlines())
    return "\n".join(lines).strip("\n") + "\n"


def figures(output: str) -> list[str]:
    """The numbers and digests of an output in order, which are the same on every machine and in every layout."""
    lasting = "\n".join(line for line in output.splitlines() if not VARIES.search(line))
    return NUMBER.findall(lasting)


def record(tutorial: Path) -> None:
    """Follow a tutorial in an empty folder and write down each output that it quotes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "examples").symlink_to(ROOT / "examples")
        for step in steps(tutorial.read_text()):
            print(step.command, flush=True)
            output = run(step, folder)
            if step.output is not None:
                step.output.parent.mkdir(exist_ok=True)
                step.output.write_text(output)


def main() -> int:
    """Record the tutorials that are named by their pages, or all; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="tutorials; default all that need no cluster")
    for tutorial in parser.parse_args().pages or TUTORIALS:
        record(tutorial)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
