"""The commands that a user types, run as a user would run them: outside the cluster, with a kubeconfig and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.release import SIMULATIONS, Release

PROGRAMS = Path(sys.executable).parent


def parpour(release: Release, *arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in the tests' namespace, without any store credentials of its own."""
    environment = {name: value for name, value in release.cluster.environment().items() if not name.startswith("AWS_")}
    return subprocess.run(
        [PROGRAMS / "parpour", *arguments, "--namespace", SIMULATIONS],
        env={**environment, "KUBECONFIG": str(kubeconfig or release.cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
