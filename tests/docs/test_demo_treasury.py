"""`make demo-treasury` as somebody would run it who wants to see the treasury work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quoting import ROOT


@pytest.mark.long
def test_the_demo_tells_its_story_to_the_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "demo_treasury.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for said in (
        "refused TREASURY_SPEND_CAP_EXCEEDED",
        "acme: the spend is settled, paid once: 1 payment",
        "globex: the spend is settled, paid once: 1 payment",
        "decided again from that: the same",
        "verified: books and spends are what the events tell",
        "user:ann revokes agent:buyer: done",
        "was awaiting_approval and is cancelled",
        "refused TREASURY_MEMBER_REVOKED",
        "AUDIT_JOURNAL_CHANGED: journal/2",
    ):
        assert said in done.stdout
    assert {path.name for path in (tmp_path / "out" / "treasury" / "incident").iterdir()} == {
        "audit",
        "incident.html",
        "incident.json",
    }
