"""The whole product in one command: a Kubernetes, the chart, one Simulation, its live progress, its results.

It is a script of the commands that a person would type, and says each of them. The cluster stays up afterwards. With
`--cluster kind` the cluster and the images come from kind and Docker; all that follows is the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
EXAMPLE = "examples/epidemic.yaml"
SIMULATION = "epidemic"
REPORT = "out/epidemic.html"


class Demo:
    """Runs commands, showing what runs and how long the whole has taken."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.environment = dict(os.environ)
        self.kubectl: tuple[str, ...] = ("kubectl",)

    def say(self, line: str) -> None:
        """One heading with the time since the start."""
        print(f"\n[{time.monotonic() - self.started:5.1f} s] {line}", flush=True)

    def run(self, *command: str) -> None:
        """Run a command in the open.

        Raises:
            subprocess.CalledProcessError: if it fails.
        """
        subprocess.run(command, check=True, cwd=ROOT, env=self.environment)

    def output_of(self, *command: str) -> str:
        """Run a command and return its standard output.

        Raises:
            subprocess.CalledProcessError: if it fails.
        """
        done = subprocess.run(command, check=True, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def start_dev_cluster(self) -> None:
        """Bring up the dev cluster and install the chart with images built here."""
        devcluster = str(BIN / "parpour-devcluster")
        self.say("a real one-node Kubernetes: parpour-devcluster up")
        self.run(devcluster, "up")
        self.say("images and chart: tools/install.py")
        coordinates = json.loads(self.output_of(sys.executable, "tools/install.py"))
        self.environment["KUBECONFIG"] = coordinates["kubeconfig"]
        self.kubectl = (devcluster, "kubectl")

    def start_kind_cluster(self) -> None:
        """The same on kind, for machines with Docker."""
        self.say("Kubernetes, images and chart on kind: tools/kind.sh")
        self.environment["KUBECONFIG"] = self.output_of("tools/kind.sh").strip()

    def run_simulation(self) -> str:
        """Apply the example, watch it, show what came out; returns the digest."""
        parpour = str(BIN / "parpour")
        self.run(*self.kubectl, "delete", "simulation", SIMULATION, "--ignore-not-found", "--wait")
        self.say(f"kubectl apply -f {EXAMPLE}")
        self.run(*self.kubectl, "apply", "-f", EXAMPLE)
        self.say(f"parpour sim watch {SIMULATION}")
        self.run(parpour, "sim", "watch", SIMULATION)
        self.say("kubectl get simulations")
        self.run(*self.kubectl, "get", "simulations")
        self.say(f"parpour sim results {SIMULATION} --report {REPORT}")
        (ROOT / REPORT).parent.mkdir(exist_ok=True)
        self.run(parpour, "sim", "results", SIMULATION, "--report", REPORT)
        return self.output_of(
            *self.kubectl, "get", "simulation", SIMULATION, "--output", "jsonpath={.status.result.digest}"
        ).strip()


def main() -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tools/demo.py", description=__doc__)
    parser.add_argument("--cluster", choices=["dev", "kind"], default="dev")
    kind = parser.parse_args().cluster == "kind"
    demo = Demo()
    try:
        if kind:
            demo.start_kind_cluster()
        else:
            demo.start_dev_cluster()
        digest = demo.run_simulation()
    except subprocess.CalledProcessError as error:
        print(f"\nDEMO_FAILED: {' '.join(map(str, error.cmd))} ended with {error.returncode}", file=sys.stderr)
        return 1
    demo.say("done")
    print(f"report {REPORT}")
    print(f"digest {digest}")
    if kind:
        print("The cluster is still up. Take it down with: kind delete cluster --name parpour")
    else:
        print(f"The cluster is still up: export KUBECONFIG={demo.environment['KUBECONFIG']}")
        print("Take it down with: make clean   (or: .venv/bin/parpour-devcluster down)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
