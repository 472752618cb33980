"""Runs the operator as a process of its own, for tests and benches that must see it start, die and be followed.

The process is kept from importing the official client, which the image does not hold and kopf would import.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_START = "import sys; sys.modules['kubernetes'] = None; from parpour_operator.main import main; sys.exit(main())"
_PORTS = re.compile(r"health on (\d+), metrics on (\d+)")
STEP_SECONDS = 0.02


@dataclass
class OperatorProcess:
    """One operator process; `environment` is added to a few settings that suit a test."""

    kubeconfig: Path
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> OperatorProcess:
        """Start it."""
        settings = {
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PARPOUR_HEALTH_PORT": "0",
            "PARPOUR_METRICS_PORT": "0",
            **self.environment,
        }
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", _START]
            self.process = subprocess.Popen(command, env=settings, stderr=log)  # noqa: S603 - our own interpreter
        return self

    def wait_ready(self, seconds: float = 60.0) -> OperatorProcess:
        """Wait until /readyz says so.

        Raises:
            TimeoutError: with the end of the log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.answers("/readyz"):
                return self
            time.sleep(STEP_SECONDS)
        raise TimeoutError(f"the operator did not get ready: {self.text()[-2000:]}")

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def answers(self, path: str) -> bool:
        """Whether a probe succeeds."""
        ports = _PORTS.findall(self.text())
        if not ports:
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1][0]}{path}", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self) -> str:
        """The exposition of /metrics."""
        port = _PORTS.findall(self.text())[-1][1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    @property
    def leads(self) -> bool:
        """Whether it says that it is the leader."""
        return "leader; watches are open" in self.text()

    def resident_bytes(self) -> int:
        """Resident memory of the process."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def kill(self) -> None:
        """SIGKILL: no line of it runs any more."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM, and wait for the end; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
