"""A cluster for tests: the one that is running, or one that is started for them and taken down afterwards.

pytest finds this module by its entry point, so the fixtures are there wherever the package is installed. A cluster that
was up before the tests stays up after them, so that a developer's next run starts at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parpour_devcluster import images
from parpour_devcluster.base_image import ensure_base_image
from parpour_devcluster.binaries import ensure
from parpour_devcluster.layout import Layout, find_layout, state_root
from parpour_devcluster.lifecycle import down, load_record, up


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that is up.

    Args:
        layout: its paths and addresses.
    """

    layout: Layout

    @property
    def name(self) -> str:
        """Its name, as parpour-devcluster takes it."""
        return self.layout.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.kubeconfig

    @property
    def registry(self) -> str:
        """`127.0.0.1:PORT`, the prefix of loaded images' names."""
        return self.layout.registry

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, a JSON object a line."""
        return self.layout.audit_log

    def environment(self) -> dict[str, str]:
        """This process' environment with KUBECONFIG set."""
        return os.environ | {"KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Runs kubectl.

        Returns:
            What it printed.

        Raises:
            AssertionError: it failed; the message holds what it said.
        """
        return self._run("kubectl", arguments, stdin)

    def helm(self, *arguments: str) -> str:
        """Runs helm; otherwise as kubectl."""
        return self._run("helm", arguments, None)

    def load_image(self, image: str, *, name: str | None = None) -> str:
        """Loads an archive, an OCI layout folder or an image of buildah's store.

        Returns:
            What to write as `image:` in a pod.
        """
        return images.load(image, name=name or images.default_name(image), registry=self.registry)

    def _run(self, program: str, arguments: tuple[str, ...], stdin: str | None) -> str:
        command = [str(ensure(program, _say)), *arguments]
        done = subprocess.run(command, env=self.environment(), input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{program} {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout


@pytest.fixture(scope="session")
def cluster() -> Iterator[RunningCluster]:
    """The cluster named by `$PARPOUR_TEST_CLUSTER` (`parpour-test` by default), started if it is not up."""
    name = os.environ.get("PARPOUR_TEST_CLUSTER", "parpour-test")
    before = find_layout(name, root=state_root())
    was_up = before is not None and load_record(before) is not None
    layout, _ = up(name, report=_say)
    yield RunningCluster(layout)
    if not was_up:
        down(name, report=_say)


@pytest.fixture(scope="session")
def base_image() -> str:
    """The name under which buildah knows the Debian base image with Python."""
    return ensure_base_image(_say)[1]
