"""How often progress goes out, and what the log line says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.runs.progress import ShardOutcome, ShardProgress
from civlab.worker.progress_line import ShardLine, parse_progress_line, progress_line
from civlab.worker.reporting import Reporter
from parpour_contracts.messages import ProgressV1

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Bench:
    """A reporter with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.sent: list[ProgressV1] = []
        self.clock = 0.0
        self.stopping = False
        self.report = Reporter(
            run="run-1",
            publish=self.sent.append,
            stopping=lambda: self.stopping,
            now=lambda: NOW,
            monotonic=lambda: self.clock,
        )

    def tick(self, ticks: int, *, checkpoint: bool = False) -> None:
        self.report(
            ShardProgress(
                shard=1,
                shards=4,
                members=2,
                members_done=0,
                ticks_done=ticks,
                ticks_total=100,
                agent_updates=ticks * 1000,
                busy_seconds=ticks / 10,
                checkpoint=checkpoint,
            )
        )


def test_the_first_report_goes_out_and_then_one_every_two_seconds() -> None:
    bench = Bench()
    for ticks in range(60):
        bench.clock = ticks / 10
        bench.tick(ticks)
    assert [word.ticks_done for word in bench.sent] == [0, 20, 40]


def test_a_checkpoint_is_told_at_once() -> None:
    bench = Bench()
    bench.tick(1)
    bench.tick(2)
    bench.tick(3, checkpoint=True)
    assert [word.ticks_done for word in bench.sent] == [1, 3]


def test_a_wish_to_stop_is_told_at_once_and_once() -> None:
    bench = Bench()
    bench.tick(1)
    bench.stopping = True
    bench.tick(2)
    bench.tick(3)
    assert [word.state for word in bench.sent] == ["Running", "Stopping"]


def test_the_last_word_says_done_even_when_nothing_was_left_to_do() -> None:
    bench = Bench()
    outcome = ShardOutcome(
        shard=1,
        done=True,
        members=2,
        ticks_done=100,
        ticks_total=100,
        agent_updates=0,
        busy_seconds=0.0,
        resumed_ticks=100,
    )
    bench.report.finish(outcome, shards=4)
    assert [(word.state, word.ticks_done, word.members_done) for word in bench.sent] == [("Done", 100, 2)]


counts = st.integers(0, 10**12)


@given(ticks=counts, total=counts, members=st.integers(0, 10**6), updates=counts, busy=st.integers(0, 10**9))
def test_a_progress_line_reads_back(ticks: int, total: int, members: int, updates: int, busy: int) -> None:
    word = ProgressV1(
        run="r",
        shard=3,
        shards=7,
        state="Running",
        members=members,
        members_done=0,
        ticks_done=ticks,
        ticks_total=total,
        agent_updates=updates,
        busy_milliseconds=busy,
        at=NOW,
    )
    expected = ShardLine(
        shard=3,
        shards=7,
        ticks_done=ticks,
        ticks_total=total,
        members_done=0,
        members=members,
        rate=updates * 1000 // busy if busy else 0,
    )
    assert parse_progress_line(f"2026-01-01 INFO {progress_line(word)}, checkpoint") == expected


@given(st.text())
def test_any_other_line_is_no_progress(text: str) -> None:
    assert parse_progress_line(text) is None
    assert parse_progress_line("{" + text) is None
