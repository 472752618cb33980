"""The command line as a user meets it: help, completion, errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from parpour_cli.main import command
from parpour_cli.storing import service_of

pytestmark = pytest.mark.unit


def every_command() -> list[tuple[list[str], bool]]:
    """Every command's words, and whether it is a group of others."""
    found: list[tuple[list[str], bool]] = []

    def walk(group: click.Group, path: list[str]) -> None:
        for name, entry in group.commands.items():
            found.append(([*path, name], isinstance(entry, click.Group)))
            if isinstance(entry, click.Group):
                walk(entry, [*path, name])

    walk(command, [])
    return found


@pytest.mark.parametrize(("path", "group"), [pytest.param(*one, id=" ".join(one[0])) for one in every_command()])
def test_every_command_has_help_and_leaves_show_an_example(path: list[str], group: bool) -> None:
    answer = CliRunner().invoke(command, [*path, "--help"])
    assert answer.exit_code == 0
    assert group or "Example" in answer.output


def test_help_imports_no_kubernetes_client() -> None:
    program = (
        "import sys\nfrom parpour_cli.main import command\n"
        "command.main(['sim', '--help'], standalone_mode=False)\n"
        "heavy = {'kubernetes', 'rich', 'pydantic', 'numpy', 'pyarrow', 'nats'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    answer = CliRunner().invoke(command, ["completion", shell])
    assert answer.exit_code == 0
    assert "_PARPOUR_COMPLETE" in answer.output


@pytest.mark.parametrize(
    "text", ["", "not: [yaml", "apiVersion: v1\nkind: Config\n", "[]", "clusters: 7\n", "\x00\x01"]
)
def test_a_wrong_kubeconfig_is_one_line_with_a_remedy(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    answer = CliRunner().invoke(command, ["sim", "list", "--kubeconfig", str(file)])
    assert answer.exit_code == 2
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    assert "[KUBECONFIG_WRONG]" in answer.stderr
    assert "--kubeconfig" in answer.stderr


def write_kubeconfig(file: Path, server: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "word"}}],
    }
    file.write_text(json.dumps(document))
    return file


def test_an_api_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9")
    answer = CliRunner().invoke(command, ["sim", "list", "--kubeconfig", str(file), "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["error"]["code"] == "API_UNREACHABLE"


def test_version_answers_without_a_cluster(tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9")
    answer = CliRunner().invoke(command, ["version", "--kubeconfig", str(file), "--json"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["parpour"]


def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9")
    answer = CliRunner().invoke(command, ["doctor", "--kubeconfig", str(file), "--context", "there"])
    assert answer.exit_code == 2
    assert "there" in answer.stderr


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://parpour-s3.parpour-system.svc:7070", ("parpour-system", "parpour-s3", 7070)),
        ("http://s3.store.svc.cluster.local", ("store", "s3", 80)),
        ("https://minio:9000", ("default", "minio", 9000)),
        ("https://s3.eu-west-1.amazonaws.com", None),
        ("http://127.0.0.1:7070", None),
        ("http://localhost:7070", None),
        ("", None),
    ],
)
def test_only_addresses_inside_the_cluster_are_forwarded(endpoint: str, expected: object) -> None:
    assert service_of(endpoint, namespace="default") == expected
