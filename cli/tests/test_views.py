"""What people see of Simulations: list, description, bars."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.worker.progress_line import ShardLine
from parpour_cli.describing import description
from parpour_cli.faults import CliError
from parpour_cli.listing import documents, rows, table
from parpour_cli.picture import drawing, headline, take_picture
from parpour_cli.reading import age_of, figure, read_run
from parpour_cli.shards import ShardState, shard_views

from .conftest import Build, Draw

pytestmark = pytest.mark.unit

HALF = {"summary": "50 %", "ticksDone": 800, "ticksTotal": 1600, "agentUpdatesPerSecond": 12_300_000, "secondsLeft": 75}


def line(shard: int, ticks_done: int) -> ShardLine:
    return ShardLine(
        shard=shard, shards=4, ticks_done=ticks_done, ticks_total=400, members_done=0, members=4, rate=5_000_000
    )


def test_the_list_shows_scenario_members_progress_state_and_age(simulation: Build, draw: Draw, now: datetime) -> None:
    runs = [read_run(simulation("b", progress=HALF)), read_run(simulation("a", state="Complete"))]
    text = draw(table(rows(runs, now=now), with_namespace=False))
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["NAME", "SCENARIO", "MEMBERS", "SHARDS", "PROGRESS", "STATE", "AGE"]
    assert lines[1] == ["a", "epidemic", "16", "4", "-", "Complete", "3m"]
    assert lines[2] == ["b", "epidemic", "16", "4", "50", "%", "Running", "3m"]


def test_the_list_as_json_has_the_same_facts(simulation: Build, now: datetime) -> None:
    (row,) = documents(rows([read_run(simulation(progress=HALF))], now=now))
    assert row == {
        "namespace": "default",
        "name": "epidemic",
        "scenario": "epidemic",
        "members": 16,
        "shards": "4",
        "progress": "50 %",
        "state": "Running",
        "age": "3m",
    }


def test_a_simulation_that_no_operator_has_seen_is_listed(simulation: Build, now: datetime) -> None:
    fresh = simulation()
    del fresh["status"]
    (row,) = rows([read_run(fresh)], now=now)
    assert (row.scenario, row.state, row.shards) == ("epidemic", "Pending", "-")


def test_an_object_of_another_release_is_an_error_with_a_code(simulation: Build) -> None:
    with pytest.raises(CliError) as caught:
        read_run(simulation(seed="many"))
    assert caught.value.code == "RESOURCE_UNREADABLE"
    assert "spec.seed" in caught.value.message


def test_the_description_shows_conditions_events_and_the_reason(
    simulation: Build, condition: Build, pod: Build, draw: Draw, now: datetime
) -> None:
    refused = condition("Accepted", "False", "ScenarioUnknownParameter", "spec.parameters: no disease.ro; disease.r0?")
    run = read_run(simulation(state="Pending", conditions=[refused], parameters={"disease.ro": "2"}))
    event = {"type": "Warning", "reason": "Refused", "message": "see Accepted", "lastTimestamp": "2026-03-01T11:59:30Z"}
    text = draw(
        description(run, shards=shard_views([pod(0, "Running")], shards=4), events=[event], now=now),
    )
    for expected in (
        "ScenarioUnknownParameter: spec.parameters: no disease.ro; disease.r0?",
        "disease.ro=2",
        "epidemic-shards-0-x",
        "Refused",
        "see Accepted",
        "30s",
    ):
        assert expected in text


def test_the_description_of_a_complete_run_shows_digest_and_intervals(
    simulation: Build, result: dict[str, Any], draw: Draw, now: datetime
) -> None:
    text = draw(description(read_run(simulation(state="Complete", result=result)), shards=[], events=[], now=now))
    assert "ab" * 32 in text
    assert "attack_rate" in text
    assert "0.7912" in text
    assert "0.81" in text


def test_the_newest_pod_speaks_for_its_shard(pod: Build) -> None:
    pods = [
        pod(0, "Failed", name="old", created=1),
        pod(0, "Running", name="new", created=9),
        pod(1, "Succeeded", name="done", created=2),
        pod(1, "Failed", name="late", created=5),
        pod(2, "Pending"),
        pod(None, "Running", name="collect"),
    ]
    views = shard_views(pods, shards=4)
    assert [(view.state, view.pod) for view in views] == [
        (ShardState.RUNNING, "new"),
        (ShardState.DONE, "done"),
        (ShardState.STARTING, "epidemic-shards-2-x"),
        (ShardState.WAITING, ""),
    ]
    assert views[0].attempts == 2


def test_a_pod_that_is_going_away_is_no_running_shard(pod: Build) -> None:
    (view,) = shard_views([pod(0, "Running", deleting=True)], shards=1)
    assert view.state is ShardState.RETRYING


def test_log_lines_run_ahead_of_the_status(simulation: Build, pod: Build) -> None:
    run = read_run(simulation(progress=HALF))
    views = shard_views([pod(0, "Succeeded"), *(pod(i, "Running") for i in (1, 2, 3))], shards=4)
    picture = take_picture(run, views, {1: line(1, 300), 2: line(2, 200), 3: line(3, 100)})
    assert picture.ticks_done == 400 + 300 + 200 + 100
    assert picture.percent == 62
    assert picture.rate == 15_000_000
    assert picture.document()["shards"][0]["ticksDone"] == 400


def test_without_logs_the_status_speaks(simulation: Build, pod: Build) -> None:
    run = read_run(simulation(progress=HALF))
    picture = take_picture(run, shard_views([pod(0, "Running")], shards=4), {})
    assert (picture.ticks_done, picture.ticks_total, picture.percent) == (800, 1600, 50)
    assert headline(picture) == (
        "Running 50 %, 800 of 1600 ticks, shards 0 done, 1 running of 4, 12.3 M agent-updates/s, about 75s left"
    )


def test_the_time_left_shrinks_with_what_was_done_since_the_status(simulation: Build, pod: Build) -> None:
    run = read_run(simulation(progress=HALF))
    views = shard_views([pod(i, "Running") for i in range(4)], shards=4)
    assert take_picture(run, views, {i: line(i, 300) for i in range(4)}).seconds_left == 37


def test_a_run_whose_shards_are_done_is_being_verified(simulation: Build, pod: Build) -> None:
    run = read_run(simulation(progress=HALF))
    picture = take_picture(run, shard_views([pod(i, "Succeeded") for i in range(4)], shards=4), {})
    assert headline(picture).endswith("verifying the results")


def test_a_complete_run_needs_no_reason(simulation: Build, condition: Build, result: dict[str, Any]) -> None:
    ended = condition("Running", "False", "Complete", "all shards are done")
    run = read_run(simulation(state="Complete", conditions=[ended], result=result))
    assert headline(take_picture(run, [], {})) == "Complete 100 %"


def test_bars_are_drawn_for_the_whole_and_each_shard(simulation: Build, pod: Build, draw: Draw) -> None:
    run = read_run(simulation(progress=HALF))
    picture = take_picture(run, shard_views([pod(i, "Running") for i in range(4)], shards=4), {0: line(0, 100)})
    text = draw(drawing(picture))
    assert [row.split()[0] for row in text.splitlines()[1:]] == ["all", "shard", "shard", "shard", "shard"]
    assert "25 %" in text


def test_many_shards_are_counted_instead_of_drawn(simulation: Build, draw: Draw) -> None:
    run = read_run(simulation(members=100, shards=100, progress=HALF))
    text = draw(drawing(take_picture(run, shard_views([], shards=100), {})))
    assert "and 76 more shards, 0 of them done" in text


def test_a_failed_run_says_why(simulation: Build, condition: Build) -> None:
    run = read_run(simulation(state="Failed", conditions=[condition("Failed", "True", "ChainBroken", "member 3")]))
    assert headline(take_picture(run, [], {})).endswith("(ChainBroken: member 3)")


@given(st.integers(0, 10**18))
def test_figures_are_three_digits_and_a_unit(value: int) -> None:
    assert len(figure(value)) <= 12


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (119, "119s"), (120, "2m"), (3600, "1h"), (86400, "1d"), (-5, "0s")]
)
def test_ages_read_as_kubectl_writes_them(now: datetime, seconds: int, text: str) -> None:
    assert age_of(now - timedelta(seconds=seconds), now=now) == text
