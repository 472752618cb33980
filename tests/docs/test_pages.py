"""What the pages tell a reader to type, to write and to open is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
import yaml

from civlab.cli.command import civlab
from parpour_cli.main import command as parpour
from parpour_contracts.ensembles import check_ensemble
from parpour_contracts.scenario import BUILTIN, builtin_scenario, override, parameters, parse_scenario
from parpour_contracts.simulation import Ensemble, Simulation
from parpour_contracts.venture import Venture
from parpour_devcluster.cli import main as devcluster
from quoting import DOCS, ROOT, WRITTEN, Command, blocks, commands

pytestmark = pytest.mark.unit

PROGRAMS: dict[str, click.Command] = {"civlab": civlab, "parpour": parpour, "parpour-devcluster": devcluster}
TYPED = [command for page in WRITTEN for command in commands(page)]
OURS = [command for command in TYPED if Path(command.words[0]).name in PROGRAMS]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.yaml") if "kind: Simulation" in path.read_text())


@pytest.mark.parametrize("command", OURS, ids=str)
def test_a_command_and_its_options_exist(command: Command) -> None:
    name, *words = (Path(command.words[0]).name, *command.words[1:])
    program = PROGRAMS[name]
    context = click.Context(program, info_name=name)
    while isinstance(program, click.Group) and words and not words[0].startswith("-"):
        found = program.get_command(context, words[0])
        assert found is not None, f"{context.command_path} has no command {words[0]}"
        program, words = found, words[1:]
        context = click.Context(program, info_name=found.name, parent=context)
    if name == "parpour-devcluster" and context.info_name in ("kubectl", "helm"):
        return  # what follows is theirs
    known = {option for parameter in program.get_params(context) for option in parameter.opts}
    asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
    assert asked <= known


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in WRITTEN for target in re.findall(r"`make ([a-z-]+)", page.read_text())}
    named |= {command.words[1] for command in TYPED if command.words[0] == "make"}
    assert named <= targets


def test_the_pages_are_built_without_the_themes_banner() -> None:
    lines = [line for name in ("Makefile", "tools/test.sh") for line in (ROOT / name).read_text().splitlines()]
    builds = [line.strip() for line in lines if "mkdocs build" in line]
    assert len(builds) == 1
    assert all(line.startswith("NO_MKDOCS_2_WARNING=1 ") for line in builds)


@pytest.mark.parametrize("folder", ["examples", "tools", "charts", "docs/tutorials"])
def test_every_file_that_is_named_exists(folder: str) -> None:
    text = "\n".join(page.read_text() for page in WRITTEN)
    named = set(re.findall(rf"(?<![\w/.-]){folder}/[\w./-]*\w\.(?:yaml|py|sh|txt)", text))
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_recorded_output_is_quoted() -> None:
    text = "\n".join(page.read_text() for page in WRITTEN)
    recorded = [str(path.relative_to(ROOT)) for path in (DOCS / "tutorials" / "output").iterdir()]
    assert [path for path in recorded if path not in text] == []


def test_every_decision_stands_in_the_index() -> None:
    index = (DOCS / "decisions" / "index.md").read_text()
    assert [path.name for path in (DOCS / "decisions").glob("0*.md") if f"({path.name})" not in index] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_would_be_accepted(example: Path) -> None:
    spec = Simulation.model_validate(yaml.safe_load(example.read_text())).spec
    text = spec.scenario.inline or BUILTIN[spec.scenario.builtin or ""]
    scenario = override(parse_scenario(text), spec.parameters)
    assert check_ensemble(spec.ensemble, parameters(scenario)) == ()


def test_the_example_of_a_venture_would_be_accepted() -> None:
    read = Venture.model_validate(yaml.safe_load((ROOT / "examples" / "venture.yaml").read_text()))
    assert len({owner.person for owner in read.spec.owners}) == 2


@pytest.mark.parametrize("fragment", blocks(DOCS / "how-to" / "write-a-scenario.md", "yaml"))
def test_a_recipe_fits_into_a_scenario(fragment: str) -> None:
    recipe = yaml.safe_load(fragment) if "--8<--" not in fragment else {}
    if "spec" in recipe:
        return
    whole = yaml.safe_load(builtin_scenario("epidemic")) | recipe
    parse_scenario(yaml.safe_dump(whole))


@pytest.mark.parametrize("fragment", blocks(DOCS / "how-to" / "run-an-ensemble.md", "yaml"))
def test_a_design_of_the_guide_is_valid(fragment: str) -> None:
    if "--8<--" in fragment:
        return
    ensemble = Ensemble.model_validate(yaml.safe_load(fragment)["ensemble"])
    assert check_ensemble(ensemble, parameters(parse_scenario(builtin_scenario("epidemic")))) == ()


def test_links_to_other_sites_are_well_formed() -> None:
    for page in sorted(DOCS.rglob("*.md")):
        for target in re.findall(r"\]\(<?([a-z]+:[^)>]*)", page.read_text()):
            parts = urlsplit(target)
            assert parts.scheme == "https", f"{page.name}: {target}"
            assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", parts.netloc), f"{page.name}: {target}"


@pytest.mark.long
def test_the_site_builds_strictly_and_asks_nothing_of_other_hosts(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [mkdocs, "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    asks = re.compile(r"""<(?:script|img|iframe|link|source|video)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^"']*""")
    for page in (tmp_path / "site").rglob("*.html"):
        found = [tag for tag in asks.findall(page.read_text()) if 'rel="canonical"' not in tag]
        assert found == [], page.name
    for sheet in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text()), sheet.name
