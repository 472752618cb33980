"""What is handed over about spends: an untouched dossier is what the events tell, and each change of it has a name."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parpour_controlplane.testing import Place
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.dossier import read_dossier
from parpour_treasury.auditing.governed import ToldGoverned, compare_governed
from parpour_treasury.auditing.handing import DOSSIER, TAIL, Audited, audit
from parpour_treasury.auditing.spends import ToldSpends, compare_spends
from parpour_treasury.auditing.telling import tell
from parpour_treasury.auditing.testing import Wronged, wronged
from parpour_treasury.refusals import TreasuryError

Line = dict[str, Any]
DIGESTS = ("decided", "approved", "told")
LONG_AGO = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handed") / "audit"


@pytest.fixture(scope="module")
def handed(place: Place, folder: Path) -> Wronged:
    return asyncio.run(wronged(place, folder))


@lru_cache(maxsize=1)
def audit_of(folder: Path, key: bytes) -> Audited:
    return audit(folder, [key])


def findings(folder: Path, handed: Wronged) -> set[tuple[str, str]]:
    found = audit(folder, [handed.key]).findings
    assert audit(folder, [handed.key], keep=False).findings == found, "what is not kept is looked at alike"
    return {(one.code, one.place) for one in found}


def test_what_nobody_touched_is_what_the_events_tell(handed: Wronged, folder: Path) -> None:
    found = audit(folder, [handed.key])
    assert found.findings == ()
    assert set(handed.spends.values()) == set(found.dossier.spends)
    assert {event.type for event in found.events[-found.tail :]} == {
        "treasury.journal.posted",
        "treasury.spend.settled",
    }


def changed(kind: str, spend: str, change: Callable[[Line], None]) -> Callable[[list[Line], Wronged], list[Line]]:
    """The dossier with the first thing of a kind about a spend changed."""

    def apply(lines: list[Line], handed: Wronged) -> list[Line]:
        wanted = str(handed.spends[spend])
        change(next(one[kind] for one in lines if one.get(kind, {}).get("spend_id") == wanted))
        return lines

    return apply


def rewritten(kind: str, spend: str, text: str, **fields: Any) -> Callable[[list[Line], Wronged], list[Line]]:
    """The same, with fields changed of what is handed over as a text."""
    return changed(kind, spend, lambda one: one.update({text: json.dumps({**json.loads(one[text]), **fields})}))


def without(kind: str, spend: str) -> Callable[[list[Line], Wronged], list[Line]]:
    def apply(lines: list[Line], handed: Wronged) -> list[Line]:
        wanted = str(handed.spends[spend])
        return [one for one in lines if one.get(kind, {}).get("spend_id") != wanted]

    return apply


def more_allowed(lines: list[Line], _handed: Wronged) -> list[Line]:
    next(one["rules"] for one in lines if "rules" in one)["body"]["allow"][0]["perAction"] = 9_000
    return lines


def first(kind: str, **fields: Any) -> Callable[[list[Line], Wronged], list[Line]]:
    """The dossier with the first thing of a kind changed."""

    def apply(lines: list[Line], _handed: Wronged) -> list[Line]:
        next(one[kind] for one in lines if kind in one).update(fields)
        return lines

    return apply


def none_of(kind: str) -> Callable[[list[Line], Wronged], list[Line]]:
    return lambda lines, _handed: [one for one in lines if kind not in one]


def around_itself(lines: list[Line], _handed: Wronged) -> list[Line]:
    for one in (line["envelope"] for line in lines if "envelope" in line):
        one["parent_id"] = one["envelope_id"]
    return lines


def another_spend(lines: list[Line], handed: Wronged) -> list[Line]:
    lines.append(json.loads(json.dumps(next(one for one in lines if "spend" in one))))
    lines[-1]["spend"]["spend_id"] = str(handed.tenant)
    return lines


def set_to(**fields: Any) -> Callable[[Line], None]:
    return lambda thing: thing.update(fields)


@pytest.mark.parametrize(
    ("change", "code", "spend"),
    [
        (changed("spend", "settled", set_to(amount=1)), "AUDIT_SPEND_CHANGED", "settled"),
        (changed("spend", "settled", set_to(purpose="other")), "AUDIT_SPEND_CHANGED", "settled"),
        (changed("spend", "sent", set_to(state="sent")), "AUDIT_SPEND_CHANGED", "sent"),
        (changed("spend", "settled", set_to(fingerprint="0" * 64)), "AUDIT_SPEND_CHANGED", "settled"),
        (without("spend", "refused"), "AUDIT_SPEND_MISSING", "refused"),
        (another_spend, "AUDIT_SPEND_UNTOLD", ""),
        (without("decision", "refused"), "AUDIT_DECISION_MISSING", "refused"),
        (without("approval", "settled"), "AUDIT_APPROVAL_MISSING", "settled"),
        (changed("approval", "settled", set_to(actor="user:bob")), "AUDIT_APPROVAL_UNTOLD", "settled"),
        (changed("approval", "settled", set_to(verdict="reject")), "AUDIT_APPROVAL_UNTOLD", "settled"),
        (without("outcome", "unknown"), "AUDIT_OUTCOME_DIFFERS", "unknown"),
        (changed("outcome", "unknown", set_to(step="failed")), "AUDIT_OUTCOME_DIFFERS", "unknown"),
        (more_allowed, "AUDIT_RULES_CHANGED", ""),
        (rewritten("decision", "refused", "facts", frozen=True), "AUDIT_DECISION_DIFFERS", ""),
        (changed("decision", "refused", set_to(facts="{}")), "AUDIT_DECISION_DIFFERS", ""),
        (rewritten("decision", "refused", "answer", quorum=7), "AUDIT_DECISION_DIFFERS", ""),
        # From these facts the same is decided, so only the digest tells.
        (
            rewritten("decision", "settled", "facts", available={"assets:bank:usd": 10**9}),
            "AUDIT_DECISION_CHANGED",
            "settled",
        ),
        (rewritten("decision", "settled", "asked", note="none"), "AUDIT_DECISION_CHANGED", "settled"),
        (
            changed("decision", "refused", set_to(decided_at=LONG_AGO)),
            "AUDIT_DECISION_CHANGED",
            "refused",
        ),
        (changed("decision", "refused", set_to(number=9)), "AUDIT_DECISION_UNTOLD", "refused"),
        (changed("approval", "settled", set_to(person="ann")), "AUDIT_APPROVAL_CHANGED", "settled"),
        (
            changed("approval", "settled", set_to(authenticated_at=LONG_AGO)),
            "AUDIT_APPROVAL_CHANGED",
            "settled",
        ),
        (rewritten("outcome", "unknown", "evidence", status=201), "AUDIT_OUTCOME_CHANGED", "unknown"),
        (changed("outcome", "settled", set_to(fee=4)), "AUDIT_OUTCOME_CHANGED", "settled"),
        (first("member", roles=["owner"]), "AUDIT_MEMBER_CHANGED", ""),
        (first("member", revoked_at=None), "AUDIT_MEMBER_CHANGED", ""),
        (none_of("member"), "AUDIT_MEMBER_CHANGED", ""),
        (first("envelope", cap=10**9), "AUDIT_ENVELOPE_CHANGED", ""),
        (first("envelope", spent=0), "AUDIT_ENVELOPE_CHANGED", ""),
        (first("envelope", reserved=1), "AUDIT_ENVELOPE_CHANGED", ""),
        (around_itself, "AUDIT_ENVELOPE_CHANGED", ""),
        (none_of("envelope"), "AUDIT_ENVELOPE_CHANGED", ""),
        (first("payee", name="Another"), "AUDIT_PAYEE_CHANGED", ""),
        (first("payee", destination={"recipient": "other"}), "AUDIT_PAYEE_CHANGED", ""),
        (first("payee", held_at=LONG_AGO), "AUDIT_PAYEE_CHANGED", ""),
        (none_of("payee"), "AUDIT_PAYEE_CHANGED", ""),
        (first("stops", frozen_at=LONG_AGO), "AUDIT_STOPS_CHANGED", ""),
        (changed("outcome", "settled", set_to(reference="other")), "AUDIT_OUTCOME_CHANGED", "settled"),
    ],
)
def test_each_change_of_it_has_a_name(
    handed: Wronged,
    folder: Path,
    tmp_path: Path,
    change: Callable[[list[Line], Wronged], list[Line]],
    code: str,
    spend: str,
) -> None:
    shutil.copytree(folder, tmp_path / "changed")
    path = tmp_path / "changed" / DOSSIER
    lines = change([json.loads(line) for line in path.read_text().splitlines()], handed)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = findings(tmp_path / "changed", handed)
    wanted = f"spend/{handed.spends[spend]}" if spend else ""
    assert any(one == code and place.startswith(wanted) for one, place in found), found


def test_events_of_the_first_version_have_no_digests_to_hold_records_to(handed: Wronged, folder: Path) -> None:
    found = audit(folder, [handed.key])
    first = ToldSpends.of(
        replace(one, payload={name: said for name, said in one.payload.items() if name not in DIGESTS})
        for one in found.events
        if one.payload is not None and one.type != "treasury.renewal.refused"
    )
    assert compare_spends(found.dossier, first, found.tenant) == []
    outcome = found.dossier.outcomes[handed.spends["settled"]]
    changed = replace(found.dossier, outcomes={**found.dossier.outcomes, handed.spends["settled"]: outcome[:1]})
    assert {one.code for one in compare_spends(changed, first, found.tenant)} == {"AUDIT_OUTCOME_DIFFERS"}


def test_no_erased_payload_is_a_contradiction(handed: Wronged, folder: Path) -> None:
    """GDPR, article 17: whatever has to be erased, the rest is audited on."""
    found = audit(folder, [handed.key])
    for place, erased in enumerate(found.events):
        events = [*found.events[:place], replace(erased, payload=None), *found.events[place + 1 :]]
        governed = ToldGoverned()
        for event in events:
            governed.take(event)
        contradictions = [
            *compare_spends(found.dossier, ToldSpends.of(events), found.tenant),
            *compare_governed(found.dossier, governed),
        ]
        assert contradictions == [], erased.type


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_events_say_is_judged(handed: Wronged, folder: Path, data: st.DataObject) -> None:
    """Whoever is audited may have sealed anything."""
    found = audit_of(folder, handed.key)
    place = data.draw(st.integers(0, len(found.events) - 1))
    said = dict(found.events[place].payload or {})
    for name in data.draw(st.lists(st.sampled_from(sorted(said)), max_size=3)) if said else []:
        if data.draw(st.booleans()):
            said[name] = data.draw(JSON)
        else:
            said.pop(name, None)
    events = [*found.events[:place], replace(found.events[place], payload=said), *found.events[place + 1 :]]
    governed = ToldGoverned()
    for event in events:
        governed.take(event)
    for finding in (
        *compare_spends(found.dossier, ToldSpends.of(events), found.tenant),
        *compare_governed(found.dossier, governed),
        *compare(found.books, tell(event.told for event in events)),
    ):
        assert str(finding)


def test_everything_is_handed_over_once_and_in_one_order(handed: Wronged, folder: Path) -> None:
    lines = (folder / DOSSIER).read_text().splitlines()
    kinds = [next(iter(json.loads(line))) for line in lines]
    order = ["rules", "member", "envelope", "payee", "stops", "spend", "decision", "approval", "outcome"]
    assert list(dict.fromkeys(kinds)) == order
    assert kinds == sorted(kinds, key=order.index)
    spends = [json.loads(line)["spend"]["spend_id"] for line in lines if line.startswith('{"spend"')]
    assert spends == sorted(map(str, handed.spends.values()))


@given(st.text() | st.from_regex(r'\{"(spend|decision|rules|stops)":\{.*\}\}', fullmatch=True))
def test_lines_that_are_no_dossier_are_refused(line: str) -> None:
    with pytest.raises(TreasuryError, match="AUDIT_DOSSIER_MALFORMED: line 1"):
        read_dossier([line])


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"id":1}', "null"])
def test_a_tail_that_is_none_is_refused(handed: Wronged, folder: Path, tmp_path: Path, line: str) -> None:
    shutil.copytree(folder, tmp_path / "changed")
    (tmp_path / "changed" / TAIL).write_text(f"{line}\n")
    with pytest.raises(TreasuryError, match=r"AUDIT_BOOKS_MALFORMED: tail\.ndjson line 1"):
        audit(tmp_path / "changed", [handed.key])
