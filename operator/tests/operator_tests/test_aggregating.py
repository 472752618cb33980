"""Progress figures from shards' messages and the Job's counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_contracts.messages import ProgressV1
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.simulation import Ensemble, Progress
from parpour_operator.aggregating import ProgressBoard, count_shards
from parpour_operator.observing import Job, Key
from parpour_operator.testing.memory import START, Clock

pytestmark = pytest.mark.unit

KEY = Key("team", "demo")


def document(members: int = 8, shards: int = 4, ticks: int = 100) -> RunDocument:
    return RunDocument(
        run=RunIdentity(uid="u"),
        scenario="",
        ticks=ticks,
        ensemble=Ensemble(members=members),
        shards=shards,
        store="s3://a/b",
    )


def job(**facts: object) -> Job:
    return Job(name="demo-shards", uid="j", created=START, **facts)  # type: ignore[arg-type]


def message(shard: int, ticks_done: int, **changes: object) -> ProgressV1:
    facts: dict[str, object] = {
        "run": "u",
        "shard": shard,
        "shards": 4,
        "state": "Running",
        "members": 2,
        "members_done": 0,
        "ticks_done": ticks_done,
        "ticks_total": 200,
        "agent_updates": 1_000_000,
        "busy_milliseconds": 500,
        "at": START,
    }
    return ProgressV1.model_validate({**facts, **changes})


def board(clock: Clock) -> ProgressBoard:
    made = ProgressBoard(clock=clock.seconds, interval=10.0)
    made.track("u", KEY, document(), job(ready=4, active=4))
    return made


def only(made: ProgressBoard) -> Progress:
    (due,) = made.due(now=START)
    return due.progress


def test_shards_add_up() -> None:
    clock = Clock()
    made = board(clock)
    for shard in range(4):
        assert made.hear("u", shard, message(shard, 50)) == "taken"
    progress = only(made)
    assert (progress.ticks_done, progress.ticks_total, progress.summary) == (200, 800, "25 %")
    assert progress.agent_updates_per_second == 8_000_000
    assert progress.seconds_left is None


def test_a_beat_is_written_at_most_every_interval() -> None:
    clock = Clock()
    made = board(clock)
    made.hear("u", 0, message(0, 1))
    assert made.due(now=START)
    made.hear("u", 0, message(0, 2))
    clock.advance(9.9)
    assert not made.due(now=START)
    clock.advance(0.2)
    assert made.due(now=START)
    clock.advance(60)
    assert not made.due(now=START), "nothing changed"


def test_the_time_left_follows_the_ticks_of_the_last_minute() -> None:
    clock = Clock()
    made = board(clock)
    for beat in range(1, 4):
        for shard in range(4):
            made.hear("u", shard, message(shard, 10 * beat))
        progress = only(made)
        clock.advance(10)
    assert progress.seconds_left == 170


def test_a_completed_index_counts_in_full_whatever_was_heard() -> None:
    clock = Clock()
    made = board(clock)
    made.hear("u", 0, message(0, 3))
    made.note_job("u", job(completed="0-1", succeeded=2, ready=2))
    progress = only(made)
    assert progress.ticks_done == 400
    assert (progress.shards.succeeded, progress.shards.active) == (2, 2)


def test_a_message_that_claims_too_much_is_clipped_or_refused() -> None:
    made = board(Clock())
    assert made.hear("u", 0, message(0, 10**15, agent_updates=10**30, busy_milliseconds=1)) == "taken"
    assert made.hear("u", 4, message(4, 1)) == "refused"
    assert made.hear("u", 1, message(2, 1)) == "refused"
    assert made.hear("u", 1, message(1, 1, run="other")) == "refused"
    assert made.hear("other", 1, message(1, 1)) == "unknown"
    progress = only(made)
    assert progress.ticks_done == 200
    assert progress.agent_updates_per_second < 2**63


def test_a_silent_shard_adds_nothing_to_the_rate() -> None:
    clock = Clock()
    made = board(clock)
    made.hear("u", 0, message(0, 1))
    clock.advance(31)
    made.hear("u", 1, message(1, 1))
    assert only(made).agent_updates_per_second == 2_000_000


@given(
    shards=st.integers(1, 10_000),
    succeeded=st.integers(0, 10_000),
    failed=st.integers(0, 10_000),
    ready=st.integers(0, 10_000),
)
def test_shards_by_state_are_all_shards(shards: int, succeeded: int, failed: int, ready: int) -> None:
    counts = count_shards(job(succeeded=succeeded, failed_indexes=failed, ready=ready), shards)
    parts = (counts.pending, counts.active, counts.succeeded, counts.failed)
    assert sum(parts) == shards
    assert min(parts) >= 0
