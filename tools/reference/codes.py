"""The pages of exit codes and of error codes.

What each error code means is written for the page's reader in data/error-codes.yaml, as the message itself already says
what is wrong in one case. A test holds the two together: every constant in the components' sources that looks like a
code must be in that catalogue, and nothing else may be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from civlab.cli import output
from parpour_contracts.exitcodes import EXIT_TABLE
from reference.markdown import cell, code, page, table
from reference.tables import read_rows

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = (
    "libs/contracts/src",
    "libs/controlplane/src",
    "libs/treasury/src",
    "api/src",
    "devissuer/src",
    "sim-worker/src",
    "operator/src",
    "cli/src",
    "devcluster/src",
)
LOOKS_LIKE_A_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
NAMES_OF_SURROUNDINGS = re.compile(
    r"(AWS|AZURE|CGO|CIVLAB|GOOGLE|JOB|OMP|PARPOUR|PG|PIP|POD|SC|XDG)_.*"
    r"|SOURCE_DATE_EPOCH|DEFAULT_PATH_FOR_NON_LISTED_NODES"
    r"|(ENERGY|GOODS)_FLOW|(MARKET|NATION|REGION)_METRIC|START_WARMING"
)
"""Environment variables, prefixes of the kernels' constants and the like: spelt as codes are, and none."""

CATALOGUE = "error-codes.yaml"


def constants() -> Iterator[tuple[str, Path]]:
    """Every text constant of the components' sources, f-strings' beginnings included."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value.split(":", 1)[0], path


@cache
def codes_in_sources() -> dict[str, Path]:
    """Every code that the sources mention, with the first file that does."""
    found: dict[str, Path] = {}
    for text, path in constants():
        if LOOKS_LIKE_A_CODE.fullmatch(text) and not NAMES_OF_SURROUNDINGS.fullmatch(text):
            found.setdefault(text, path.relative_to(ROOT))
    return found


def unexplained() -> list[str]:
    """Codes that the sources mention and the catalogue does not explain, each with a file that mentions it."""
    known = {name for group in read_rows(CATALOGUE, width=2).values() for name in group}
    return [f"{name} ({path})" for name, path in sorted(codes_in_sources().items()) if name not in known]


def unused() -> list[str]:
    """Codes that the catalogue explains and nothing mentions."""
    known = {name for group in read_rows(CATALOGUE, width=2).values() for name in group}
    return sorted(known - set(codes_in_sources()))


def error_codes_page() -> str:
    """docs/reference/error-codes.md."""
    catalogue = read_rows(CATALOGUE, width=2)
    parts = [
        "Every error that a user can mend has one stable code. The shell prints it in brackets and, under `--json`, as "
        "`error.code` beside the path of the field or file and the message. In a Simulation the same code is the "
        "`reason` of a condition, in the spelling of conditions: `SCENARIO_OUT_OF_RANGE` becomes `ScenarioOutOfRange` "
        "(see [conditions](conditions.md)). A wrong option or argument is `USAGE`."
    ]
    for title, group in catalogue.items():
        rows = [(code(name), cell(says), cell(remedy)) for name, (says, remedy) in sorted(group.items())]
        parts.append(f"## {title}\n\n" + table(("Code", "What it says", "What to do"), rows))
    return page("Error codes", *parts, source=f"tools/reference/data/{CATALOGUE}")


POLICIES = {
    "Complete": "the shard is done",
    "FailJob": "the whole run fails at once, with the reason from the termination message",
    "Count": "counts against `spec.retries`; another pod goes on from the checkpoint",
    "Ignore": "does not count; another pod goes on from the checkpoint",
}

SHELL_CODES: tuple[tuple[int, str], ...] = (
    (output.DONE, "done"),
    (
        output.DIFFERENT,
        "`verify` or a check of `query` found that something does not hold, `diff` a difference, `check` a run that is "
        "too short; `calibrate` could run no trial",
    ),
    (output.BAD_INPUT, "bad input; nothing was started"),
    (output.BROKEN_INVARIANT, "the simulation stopped itself: persons or the chain did not hold"),
    (
        output.STOPPED,
        "Ctrl-C or SIGTERM: a checkpoint stands, `civlab resume` goes on; after `sensitivity` and `calibrate` the same "
        "command does",
    ),
)


POD_ENDINGS = """
## Worker pods

The operator turns this table into the Job's pod failure policy. A pod that Kubernetes takes away itself (drain,
preemption, a lost node: the condition `DisruptionTarget`) is ignored before its exit code is looked at.
"""

COMMAND_CODES: tuple[tuple[str, str], ...] = (
    ("0", "done; `sim watch`: the Simulation is complete"),
    ("1", "the cluster refused or lacks something; `sim watch`: the Simulation failed; `doctor`: a check failed"),
    ("2", "wrong options or arguments"),
    ("130", "interrupted"),
)

OPERATOR_CODES: tuple[tuple[str, str], ...] = (
    ("0", "stopped when told to"),
    ("1", "lost its Lease or its watches; Kubernetes starts it again"),
    ("2", "a setting is missing or wrong"),
)


def exit_codes_page() -> str:
    """docs/reference/exit-codes.md."""
    worker = [(str(int(row.code)), cell(row.meaning), POLICIES[row.policy]) for row in EXIT_TABLE]
    worker.append(("137", "killed (SIGKILL): out of memory, or a node that went", POLICIES["Count"]))
    shell = [(str(number), meaning) for number, meaning in SHELL_CODES]
    return page(
        "Exit codes",
        POD_ENDINGS.strip() + "\n\n" + table(("Code", "Meaning", "What follows"), worker),
        "## civlab\n\n" + table(("Code", "Meaning"), shell),
        "## parpour\n\n" + table(("Code", "Meaning"), COMMAND_CODES),
        "## parpour-operator\n\n" + table(("Code", "Meaning"), OPERATOR_CODES),
        source="parpour_contracts.exitcodes and civlab.cli.output",
    )
