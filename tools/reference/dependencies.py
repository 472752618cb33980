"""The page of direct dependencies: what for, why this one, and under which licence.

The lines are written in data/dependencies.yaml; a test holds them to what the members and `requirements.in` ask for,
and the licences to the installed packages' own metadata.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from parpour_devcluster.pins import DEBIAN_PACKAGES, KUBERNETES_VERSION, PINNED_GO
from reference.markdown import cell, code, page, table
from reference.tables import read_rows

ROOT = Path(__file__).resolve().parent.parent.parent
MEMBERS = (
    "libs/contracts",
    "libs/controlplane",
    "libs/treasury",
    "api",
    "client",
    "devissuer",
    "sim-worker",
    "operator",
    "cli",
    "devcluster",
)
REQUIREMENTS = ("requirements.in", "requirements-members.in")
CATALOGUE = "dependencies.yaml"


PROGRAMS = (
    ("Kubernetes", KUBERNETES_VERSION, "Apache-2.0", "API server, controllers, scheduler, kubelet, proxy, kubectl"),
    ("etcd, CoreDNS, Helm", "go.mod", "Apache-2.0", "the rest of the control plane; installs the chart"),
    ("local-path-provisioner, go-containerregistry", "go.mod", "Apache-2.0", "volumes and images of the dev cluster"),
    ("versitygw", "go.mod", "Apache-2.0", "an S3 server over a folder, in the cluster and in tests"),
    ("stripe-mock", "go.mod", "MIT", "Stripe's own server of its API's shapes, beside the double in tests"),
    ("PostgreSQL", "15, 16, 18", "PostgreSQL", "the database of services; tests run on all three"),
    ("hledger, ledger", "Debian's", "GPL-3.0, BSD-3-Clause", "check exported books in tests, run and never linked"),
    ("beancount", "own lock", "GPL-2.0", "the same, in an environment of its own: libs/treasury/tests/beancount"),
    ("pycamt, xmlschema", "own lock", "MIT", "read the same statements in tests, likewise: libs/treasury/tests/camt"),
    ("Go", PINNED_GO, "BSD-3-Clause", "builds them, where no newer one is installed"),
)  # fmt: skip


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """The distribution that a requirement asks for."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    if match is None:
        raise ValueError(f"no requirement: {requirement!r}")
    return normalised(match.group())


def required() -> set[str]:
    """Every direct dependency of the members (extras included) and of development, our own members left out."""
    asked: set[str] = set()
    own: set[str] = set()
    for member in MEMBERS:
        project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
        own.add(normalised(project["name"]))
        asked.update(map(name_of, project.get("dependencies", ())))
        for extra in project.get("optional-dependencies", {}).values():
            asked.update(map(name_of, extra))
    for file in REQUIREMENTS:
        lines = (line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines())
        asked.update(name_of(line) for line in lines if line and not line.startswith("-"))
    return asked - own


def rows(group: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str, str]]:
    """Rows of a table."""
    return [(code(name), cell(use), cell(why), cell(licence)) for name, (licence, use, why) in group.items()]


def licences() -> dict[str, str]:
    """The licence of each dependency that has a line."""
    groups = read_rows(CATALOGUE, width=3).values()
    return {normalised(name): row[0] for group in groups for name, row in group.items()}


def dependencies_page() -> str:
    """docs/reference/dependencies.md."""
    catalogue = read_rows(CATALOGUE, width=3)
    headings = ("Package", "What for", "Why this one", "Licence")
    debian = ", ".join(code(name) for name in DEBIAN_PACKAGES)
    programs = [(cell(name), code(version), cell(licence), cell(what)) for name, version, licence, what in PROGRAMS]
    return page(
        "Dependencies",
        "Direct dependencies, one line each. Exact versions and hashes stand in `requirements.txt` and in "
        "`images/*/requirements.txt`. Nothing under the GPL or AGPL is linked or copied.",
        "## At run time\n\n" + table(headings, rows(catalogue["run-time"])),
        "## For development and tests\n\n" + table(headings, rows(catalogue["development"])),
        "## Programs\n\nBuilt from pinned Go modules (`devcluster/src/parpour_devcluster/gomods/`) or taken from "
        f"Debian ({debian}); they run as processes of their own.\n\n"
        + table(("Program", "Version", "Licence", "What for"), programs),
        source=f"tools/reference/data/{CATALOGUE}",
    )
