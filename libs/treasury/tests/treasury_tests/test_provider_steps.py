"""The table of steps: what follows from what is known of a payment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.providers.port import Answer, Outcome, Windows
from parpour_treasury.providers.steps import RULES, History, Step, begin, learn, next_step

from .provider_worlds import START

WINDOWS = Windows(send_again=timedelta(hours=23), absence_after=timedelta(hours=1), ask_person=timedelta(hours=26))
NEVER = Windows(send_again=timedelta(hours=23), absence_after=None, ask_person=timedelta(hours=26))
PAGE = Path(__file__).parents[4] / "docs/explanation/providers.md"


def at(**time: float) -> datetime:
    return START + timedelta(**time)


def said(outcome: Outcome, reference: str = "") -> Answer:
    return Answer(outcome=outcome, reference=reference)


def lost(history: History, now: datetime) -> History:
    return learn(begin(history, now), said(Outcome.UNKNOWN), now, of=Step.SEND)


def test_a_new_payment_is_sent_at_once() -> None:
    assert next_step(History(), WINDOWS, START).step is Step.SEND


def test_an_attempt_without_an_answer_is_looked_for_before_it_is_sent_again() -> None:
    crashed = begin(History(), START)
    for history in (crashed, lost(History(), START)):
        assert next_step(history, WINDOWS, at(minutes=1)).step is Step.LOOK_UP
    absent = learn(crashed, said(Outcome.ABSENT), at(minutes=1), of=Step.LOOK_UP)
    following = next_step(absent, WINDOWS, at(minutes=1))
    assert following.step is Step.WAIT
    assert next_step(absent, WINDOWS, following.at).step is Step.SEND


def test_a_request_for_patience_proves_nothing_about_an_attempt_before_it() -> None:
    history = begin(lost(History(), START), at(minutes=5))
    patient = learn(history, Answer(outcome=Outcome.LATER, patience=timedelta(hours=24)), at(minutes=5), of=Step.SEND)
    assert patient.doubtful
    assert next_step(patient, WINDOWS, at(hours=24, minutes=6)).step is Step.LOOK_UP
    only = learn(begin(History(), START), said(Outcome.LATER), START, of=Step.SEND)
    assert not only.doubtful


def test_a_look_up_that_is_put_off_does_not_settle_the_attempt_that_crashed() -> None:
    crashed = begin(History(), START)
    assert learn(crashed, said(Outcome.LATER), at(minutes=1), of=Step.LOOK_UP).doubtful


def test_a_refusal_fails_a_payment_only_where_no_attempt_is_in_doubt() -> None:
    plain = learn(begin(History(), START), said(Outcome.FAILED), START, of=Step.SEND)
    assert plain.outcome is Outcome.FAILED
    again = learn(begin(lost(History(), START), at(minutes=5)), said(Outcome.FAILED), at(minutes=5), of=Step.SEND)
    assert again.outcome is None
    early = learn(again, said(Outcome.ABSENT), at(minutes=30), of=Step.LOOK_UP)
    assert next_step(early, WINDOWS, at(minutes=59)).step is Step.WAIT
    assert next_step(early, WINDOWS, at(hours=2)).step is Step.LOOK_UP
    proven = learn(early, said(Outcome.ABSENT), at(hours=2), of=Step.LOOK_UP)
    assert next_step(proven, WINDOWS, at(hours=2)).step is Step.CONCLUDE_FAILED


def test_after_the_window_a_person_decides_and_nothing_is_sent() -> None:
    history = learn(lost(History(), START), said(Outcome.ABSENT), at(minutes=1), of=Step.LOOK_UP)
    assert next_step(history, WINDOWS, at(hours=22, minutes=59)).step is Step.SEND
    assert next_step(history, WINDOWS, at(hours=23)).step is Step.LOOK_UP
    looked = learn(history, said(Outcome.ABSENT), at(hours=23), of=Step.LOOK_UP)
    assert next_step(looked, WINDOWS, at(hours=23)).step is Step.ASK_PERSON


def test_where_absence_is_never_proven_a_refusal_ends_with_a_person() -> None:
    again = learn(begin(lost(History(), START), at(minutes=5)), said(Outcome.FAILED), at(minutes=5), of=Step.SEND)
    looked = learn(again, said(Outcome.ABSENT), at(hours=22), of=Step.LOOK_UP)
    assert next_step(looked, NEVER, at(hours=22, minutes=30)).step is Step.LOOK_UP
    assert next_step(looked, NEVER, at(hours=24)).step is Step.ASK_PERSON


def test_look_ups_that_tell_nothing_end_with_a_person() -> None:
    odd = learn(begin(History(), START), said(Outcome.UNKNOWN, "po_1"), START, of=Step.SEND)
    assert odd.reference == "po_1", "a status that is not known here still tells where to look"
    for hours in range(1, 27):
        following = next_step(odd, WINDOWS, at(hours=hours))
        assert following.step is Step.LOOK_UP
        odd = learn(odd, said(Outcome.UNKNOWN, "po_1"), at(hours=hours), of=Step.LOOK_UP)
    assert next_step(odd, WINDOWS, at(hours=26)).step is Step.ASK_PERSON
    slept = begin(History(), START)
    assert next_step(slept, WINDOWS, at(days=7)).step is Step.LOOK_UP


def test_a_payment_under_way_is_looked_at_and_its_end_may_still_change() -> None:
    sent = learn(begin(History(), START), said(Outcome.SENT, "po_1"), START, of=Step.SEND)
    assert next_step(sent, WINDOWS, at(minutes=29)).step is Step.WAIT
    assert next_step(sent, WINDOWS, at(minutes=30)).step is Step.LOOK_UP
    paid = learn(sent, said(Outcome.SETTLED, "po_1"), at(hours=1), of=Step.LOOK_UP)
    assert next_step(paid, WINDOWS, at(days=9)).step is Step.NOTHING
    assert learn(paid, said(Outcome.FAILED, "po_1"), at(days=5), of=Step.LOOK_UP).outcome is Outcome.FAILED
    assert learn(paid, said(Outcome.UNKNOWN), at(days=5), of=Step.LOOK_UP).outcome is Outcome.SETTLED


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(Outcome)), st.booleans(), st.integers(0, 8 * 3600), st.booleans()),
        max_size=40,
    ),
    st.sampled_from([WINDOWS, NEVER]),
)
def test_nothing_is_ever_sent_behind_the_window_and_every_wait_ends(
    events: list[tuple[Outcome, bool, int, bool]], windows: Windows
) -> None:
    history, now, first_doubt = History(), START, None
    for outcome, known, seconds, crash in events:
        following = next_step(history, windows, now)
        if following.step is Step.WAIT:
            assert following.at > now
            now = max(following.at, now + timedelta(seconds=seconds))
            continue
        if following.step in {Step.NOTHING, Step.ASK_PERSON, Step.CONCLUDE_FAILED}:
            return
        if following.step is Step.SEND:
            assert first_doubt is None or now < first_doubt + windows.send_again
            history = begin(history, now)
            began = now
        now += timedelta(seconds=seconds)
        if crash:
            if following.step is Step.SEND:
                first_doubt = first_doubt or began
            continue
        history = learn(history, said(outcome, "ref" if known else ""), now, of=following.step)
        if following.step is Step.SEND and outcome in {Outcome.UNKNOWN, Outcome.ABSENT}:
            first_doubt = first_doubt or began


def test_the_page_prints_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| {rule.why} | {rule.step.value} |" for rule in RULES]
    positions = [page.find(row) for row in rows]
    assert all(position > 0 for position in positions), rows
    assert positions == sorted(positions)
