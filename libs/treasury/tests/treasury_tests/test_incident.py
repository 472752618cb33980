"""The post-mortem of an agent that bought too much: everything of it, nothing of others, the same bytes each time."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.auditing.handing import DOSSIER, TAIL, Audited, audit
from parpour_treasury.auditing.incident import Followed, Incident, investigate
from parpour_treasury.auditing.incident_page import incident_page
from parpour_treasury.auditing.testing import HOSTILE, Wronged, wronged
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.containing import FATES, Cause
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT

TRIALS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handed") / "audit"


@pytest.fixture(scope="module")
def handed(place: Place, folder: Path) -> Wronged:
    return asyncio.run(wronged(place, folder))


@pytest.fixture(scope="module")
def found(handed: Wronged, folder: Path) -> Audited:
    return audit(folder, [handed.key])


@pytest.fixture(scope="module")
def incident(found: Audited) -> Incident:
    return investigate(found, Cause(actor=AGENT), since=None, until=None)


def followed(incident: Incident, handed: Wronged) -> dict[str, Followed]:
    names = {spend: name for name, spend in handed.spends.items()}
    return {names[one.spend.spend_id]: one for one in incident.spends}


def test_it_says_how_each_spend_in_flight_ended(incident: Incident, handed: Wronged) -> None:
    spends = followed(incident, handed)
    assert {name: (one.at_containment, one.spend.state) for name, one in spends.items()} == {
        "refused": (State.REFUSED, State.REFUSED),
        "settled": (State.SETTLED, State.SETTLED),
        "sent": (State.SENT, State.SETTLED),
        "unknown": (State.UNKNOWN, State.FAILED),
        "submitting": (State.SUBMITTING, State.SUBMITTING),
        "reserved": (State.RESERVED, State.CANCELLED),
        "awaiting": (State.AWAITING_APPROVAL, State.CANCELLED),
    }
    assert {name for name, one in spends.items() if one.fate} == {"submitting"}
    assert spends["submitting"].fate == FATES[State.SUBMITTING]
    assert {spends[name].spend.changed_by for name in ("reserved", "awaiting")} == {"user:ann"}


def test_it_says_who_contained_it_when_and_why(incident: Incident, handed: Wronged) -> None:
    (measure,) = incident.measures
    assert (measure.type, measure.actor) == ("treasury.member.revoked", "user:ann")
    assert measure.payload == {"actor": AGENT, "reason": "it buys too much", "by": "user:ann"}
    assert measure.at > handed.contained_at
    assert measure.position is not None


def test_it_has_decisions_approvals_evidence_and_books(incident: Incident, handed: Wronged) -> None:
    spends = followed(incident, handed)
    assert all(judged.same for one in incident.spends for judged in one.decisions)
    refused = spends["refused"].decisions[0].decision
    assert [one["code"] for one in refused.answer["reasons"]] == ["TREASURY_SPEND_CAP_EXCEEDED"]
    assert refused.facts["member"]["actor"] == AGENT
    settled = spends["settled"]
    assert [one.decision.answer["verdict"] for one in settled.decisions] == ["await", "reserve"]
    assert [(one.actor, one.verdict) for one in settled.approvals] == [("user:cat", "approve")]
    assert [one.step for one in settled.outcomes] == ["sent", "settled"]
    assert settled.outcomes[0].evidence == {"status": 200, "id": "po_settled"}
    assert [one.kind for one in settled.journals] == ["settlement", "posting", "posting"]
    assert [one.state for one in settled.holds] == ["settled"]
    assert [one.state for one in spends["reserved"].holds] == ["voided"]
    assert [one.version for one in incident.rules] == [1]


def test_the_time_line_has_what_concerns_it_and_nothing_of_others(incident: Incident, handed: Wronged) -> None:
    assert all(earlier.at <= later.at for earlier, later in zip(incident.events, incident.events[1:], strict=False))
    subjects = {event.subject for event in incident.events}
    others = {"other", "neighbour", "metered"}
    assert {f"spend/{spend}" for name, spend in handed.spends.items() if name not in others} <= subjects
    assert subjects.isdisjoint(f"spend/{handed.spends[name]}" for name in others)
    assert {event.correlation for event in incident.events}.isdisjoint(handed.spends[name] for name in others)
    assert f"payee/{handed.firm}" not in subjects
    assert f"payee/{handed.shop}" in subjects
    unproven = [event.type for event in incident.events if event.position is None]
    assert sorted(unproven) == ["treasury.journal.posted", "treasury.spend.settled"]
    assert incident.proof.unproven == 2


def test_a_payee_an_approver_or_a_whole_venture_has_its_own(found: Audited, handed: Wronged) -> None:
    of_firm = investigate(found, Cause(payee=handed.firm), since=None, until=None)
    assert set(followed(of_firm, handed)) == {"other"}
    assert of_firm.measures == ()
    assert followed(of_firm, handed)["other"].at_containment is None
    of_approver = investigate(found, Cause(actor="user:cat"), since=None, until=None)
    assert set(followed(of_approver, handed)) == {"settled", "reserved"}
    of_all = investigate(found, Cause(), since=None, until=None)
    assert set(followed(of_all, handed)) == set(handed.spends)
    assert len(of_all.events) == len(found.events)
    assert [(one.state, one.count, one.amount) for one in of_all.totals if one.currency == "USD"] == [
        ("cancelled", 2, 2_090),
        ("failed", 1, 200),
        ("refused", 1, 6_000),
        ("settled", 5, 1_940),
        ("submitting", 1, 100),
    ]


def test_a_time_bounds_it(found: Audited, handed: Wronged) -> None:
    later = investigate(found, Cause(actor=AGENT), since=handed.contained_at, until=None)
    assert "refused" not in followed(later, handed)
    assert {"sent", "unknown", "submitting", "reserved", "awaiting"} == set(followed(later, handed))
    assert min(event.at for event in later.events) >= handed.contained_at
    before = investigate(found, Cause(actor=AGENT), since=None, until=handed.contained_at)
    assert before.measures == ()
    assert max(event.at for event in before.events) < handed.contained_at
    long_ago = handed.contained_at - timedelta(days=1)
    assert investigate(found, Cause(actor=AGENT), since=None, until=long_ago).spends == ()


def test_the_same_question_gives_the_same_bytes(incident: Incident, handed: Wronged, folder: Path) -> None:
    again = investigate(audit(folder, [handed.key]), Cause(actor=AGENT), since=None, until=None)
    assert again.to_json() == incident.to_json()
    assert incident_page(again) == incident_page(incident)
    document = json.loads(incident.to_json())
    assert (document["form"], document["cause"]) == ("parpour-incident-1", AGENT)
    assert {one["spend"]["spend_id"] for one in document["spends"]} < {str(one) for one in handed.spends.values()}


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_what_others_wrote_as_text(incident: Incident) -> None:
    content = incident_page(incident)
    page = Page()
    page.feed(content.decode("ascii"))
    assert page.open == []
    assert "script" not in page.tags
    assert HOSTILE in page.text
    for said in ("user:ann", "it buys too much", "TREASURY_SPEND_CAP_EXCEEDED", "po_settled", FATES[State.SUBMITTING]):
        assert said in page.text
    assert "decided again from these facts: something else" not in page.text


VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "\udc80\u202e",
    [],
    [None],
    {},
    {"code": 1},
    "2026-01-01T00:00:00",
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in list(keys) for place in [(value, key), *places(value[key])]]


def audited(folder: Path, handed: Wronged) -> Audited | str:
    """What an audit finds, or the code with which it refuses."""
    try:
        return audit(folder, [handed.key])
    except TreasuryError as error:
        return error.code


@pytest.mark.parametrize("name", [DOSSIER, TAIL])
def test_whatever_a_file_says_is_refused_or_found_and_never_a_crash(
    handed: Wronged, folder: Path, tmp_path: Path, name: str
) -> None:
    """One value of a file is replaced by something else: it is refused, or the whole is told all the same."""
    shutil.copytree(folder, tmp_path / "changed")
    lines = (folder / name).read_text().splitlines()
    draw, told = random.Random(name), 0
    for _ in range(TRIALS):
        place = draw.randrange(len(lines))
        line = json.loads(lines[place])
        container, key = draw.choice(places(line))
        container[key] = draw.choice(VALUES)
        if name == TAIL and draw.random() < 0.5:
            line |= {"at": "2020-01-01T00:00:00+00:00", "correlation": str(handed.tenant)}
        changed = [*lines[:place], json.dumps(line), *lines[place + 1 :]]
        (tmp_path / "changed" / name).write_text("".join(f"{one}\n" for one in changed))
        found = audited(tmp_path / "changed", handed)
        if isinstance(found, str):
            assert found in ("AUDIT_DOSSIER_MALFORMED", "AUDIT_BOOKS_MALFORMED")
            continue
        incident = investigate(found, Cause(actor=AGENT), since=None, until=None)
        assert incident.to_json().isascii()
        Page().feed(incident_page(incident).decode("ascii"))
        told += 1
    assert 0 < told < TRIALS
