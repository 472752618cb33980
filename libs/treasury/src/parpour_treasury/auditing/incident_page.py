"""The post-mortem as one page of HTML for people, without scripts, pictures or anything from elsewhere.

Texts come from whoever asked to spend, so every one is escaped, and what cannot be printed is shown by its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from parpour_treasury.auditing.events import Event
from parpour_treasury.auditing.findings import AUDIT_FINDINGS
from parpour_treasury.auditing.incident import Followed, Incident, Judged
from parpour_treasury.books import HoldState, Journal
from parpour_treasury.commands import Leg
from parpour_treasury.currencies import EXPONENTS, format_amount
from parpour_treasury.spending.containing import IN_FLIGHT

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2430; max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin-bottom: 0 } h2 { margin-top: 2.2rem; border-bottom: 2px solid #d8dde6 }
h3 { margin: 1.6rem 0 .3rem } table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e6e9ef }
th { font-weight: 600; color: #56617a } td.n { text-align: right; white-space: nowrap } code { font-size: .85em }
.ok { color: #12673a } .bad { color: #a3201b; font-weight: 600 } .dim { color: #56617a }
details { margin: .3rem 0 } pre { background: #f4f6f9; padding: .6rem; overflow-x: auto; font-size: .8rem }
"""


@dataclass(frozen=True, slots=True)
class Html:
    """Text that is HTML already."""

    text: str


Cell = Html | str | int | datetime | None


def incident_page(incident: Incident) -> bytes:
    """The page, ASCII alone."""
    parts = [
        _head(incident),
        _proof(incident),
        _section("Measures", _measures(incident)),
        _section("What was in flight", _in_flight(incident)),
        _section("Spends", "".join(_spend(one) for one in incident.spends) or "<p>None.</p>"),
        _section("Time line", _time_line(incident.events)),
        _section("Rules", "".join(_details(f"Version {one.version}", one.body) for one in incident.rules)),
    ]
    title = f"Incident: {shown(incident.cause)}"
    page = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{''.join(parts)}</body>\n</html>\n"
    )
    return page.encode("ascii", "xmlcharrefreplace")


def shown(text: str) -> str:
    """Somebody's text as HTML."""
    printable = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return escape(printable)


def money(amount: int, currency: str) -> str:
    """An amount for people."""
    return f"{format_amount(amount, currency) if currency in EXPONENTS else amount} {currency}"


def moment(at: datetime) -> str:
    """A time for people, in UTC to the millisecond."""
    return at.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


def _head(incident: Incident) -> str:
    totals = "; ".join(
        f"{one.count} {one.state.value.replace('_', ' ')} ({money(one.amount, one.currency)})"
        for one in incident.totals
    )
    return (
        f"<h1>Incident: {shown(incident.cause)}</h1>\n"
        f'<p class="dim">Venture {incident.venture}, {moment(incident.since)} to {moment(incident.until)}</p>\n'
        f"<p>{len(incident.spends)} spends: {shown(totals) or 'none'}.</p>\n"
    )


def _proof(incident: Incident) -> str:
    proof = incident.proof
    rows = "".join(
        f'<li class="bad"><code>{one.code}</code> {shown(one.place)}: '
        f"{AUDIT_FINDINGS[one.code]} ({shown(one.detail)})</li>\n"
        for one in proof.findings
    )
    verdict = f"<ul>\n{rows}</ul>\n" if rows else '<p class="ok">Events, books and spends agree.</p>\n'
    signed = f"checkpoint <code>{proof.checkpoint}</code>" if proof.checkpoint else "no checkpoint"
    losses = "".join(
        f'<p class="bad">Events {one.first} to {one.last} were signed and are lost; {shown(one.by)} let the history '
        f"go on: {shown(one.reason)}, by checkpoint <code>{one.checkpoint}</code>.</p>\n"
        for one in proof.losses
    )
    return (
        f"<p>{proof.events} events in {proof.blocks} blocks are proven by {signed}; {proof.unproven} came after it, "
        f"{proof.erased} were erased.</p>\n{losses}{verdict}"
    )


def _measures(incident: Incident) -> str:
    rows = [
        (one.at, _place(one), one.actor, one.type.removeprefix("treasury."), _reason(one)) for one in incident.measures
    ]
    return _table(("When", "Event", "Who", "What", "Why"), rows)


def _reason(event: Event) -> str:
    said = event.payload or {}
    what = said.get("actor") or said.get("payee") or ""
    return ": ".join(str(part) for part in (what, said.get("reason", "")) if part)


def _in_flight(incident: Incident) -> str:
    rows = [
        (
            _link(one),
            _amount(one),
            one.at_containment.value,
            one.spend.state.value,
            f"{one.spend.changed_by}, {moment(one.spend.changed_at)}",
            one.fate,
        )
        for one in incident.spends
        if one.at_containment in IN_FLIGHT and one.at_containment is not None
    ]
    return _table(("Spend", "Amount", "When it was stopped", "Now", "By whom, when", "Still to come"), rows)


def _spend(one: Followed) -> str:
    spend = one.spend
    facts: list[tuple[Cell, Cell]] = [
        ("asked by", f"{spend.actor}, {moment(spend.requested_at)}"),
        ("payee", f"{one.payee or 'none'}" + (f" through {spend.provider}" if spend.provider else "")),
        ("envelope", one.envelope or "none"),
        ("purpose", spend.purpose),
        ("digest", Html(f"<code>{spend.digest}</code>")),
        ("provider's reference", spend.provider_reference or "none"),
        ("still to come", one.fate or "nothing"),
    ]
    heading = f"{money(spend.amount, spend.currency)}, {spend.state.value.replace('_', ' ')}"
    parts = [
        f'<h3 id="{spend.spend_id}">{shown(heading)} <code class="dim">{spend.spend_id}</code></h3>\n',
        _table(("", ""), facts),
        "".join(_decision(judged) for judged in one.decisions),
    ]
    if one.approvals:
        rows = [(each.decided_at, each.actor, each.person, each.verdict) for each in one.approvals]
        parts.append(_table(("Approvals", "Account", "Person", "Verdict"), rows))
    if one.outcomes:
        parts.append(
            _table(
                ("The provider told", "Step", "Reference", "Fee", "Evidence"),
                [
                    (
                        each.recorded_at,
                        each.step.value,
                        each.provider_reference or "",
                        money(each.fee, spend.currency),
                        Html(f"<code>{_json(each.evidence)}</code>"),
                    )
                    for each in one.outcomes
                ],
            )
        )
    if one.holds or one.journals:
        books = [*map(_hold, one.holds), *map(_journal, one.journals)]
        parts.append(_table(("In the books", "", "What", "Legs"), books))
    if one.course is not None:
        parts.append(_details("What the payment worker tried", one.course.history))
    return "".join(parts)


def _decision(judged: Judged) -> str:
    made, answer = judged.decision, judged.decision.answer
    listed = answer.get("reasons")
    reasons = (
        ", ".join(str(one.get("code")) for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ""
    )
    again = (
        '<span class="ok">decided again from these facts: the same</span>'
        if judged.same
        else '<span class="bad">decided again from these facts: something else</span>'
    )
    allowed = answer.get("allowed_by")
    said = [
        f"Decision {made.number}, {moment(made.decided_at)}: {answer.get('verdict')}",
        f"rules {made.rules_version}",
        *([f"allowed by {allowed}"] if allowed else []),
        *([f"approvals needed: {answer.get('quorum')}"] if answer.get("quorum") else []),
        *([reasons] if reasons else []),
    ]
    return f"<p>{shown('; '.join(said))}; {again}</p>\n" + _details(
        "Facts", {"asked": made.asked, "facts": made.facts, "answer": answer}
    )


def _hold(hold: HoldState) -> tuple[Cell, ...]:
    return (hold.placed_at, f"hold, {hold.state}", hold.description, _legs(hold.legs))


def _journal(journal: Journal) -> tuple[Cell, ...]:
    return (journal.recorded_at, f"journal {journal.number}", journal.description, _legs(journal.legs))


def _legs(legs: Sequence[Leg]) -> str:
    return ", ".join(f"account {leg.account}: {money(leg.amount, leg.currency)}" for leg in legs)


def _time_line(events: Sequence[Event]) -> str:
    rows = [
        (
            event.at,
            _place(event),
            event.actor,
            event.type.removeprefix("treasury."),
            event.subject,
            Html(f"<details><summary>says</summary><code>{_json(event.payload)}</code></details>"),
        )
        for event in events
    ]
    return _table(("When", "Event", "Who", "What", "Of", ""), rows)


def _place(event: Event) -> Html:
    if event.position is None:
        return Html('<span class="dim">unproven</span>')
    return Html(f'<span title="leaf {event.leaf}">{event.position}</span>')


def _amount(one: Followed) -> str:
    return money(one.spend.amount, one.spend.currency)


def _link(one: Followed) -> Html:
    return Html(f'<a href="#{one.spend.spend_id}"><code>{str(one.spend.spend_id)[:8]}</code></a>')


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>\n{body}"


def _details(title: str, value: Any) -> str:
    text = escape(json.dumps(value, indent=1, sort_keys=True))
    return f"<details><summary>{shown(title)}</summary><pre>{text}</pre></details>\n"


def _json(value: Any) -> str:
    return escape(json.dumps(value, sort_keys=True))


def _table(headings: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    if not body:
        return "<p>None.</p>\n"
    names = list(headings)
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>\n" if any(names) else ""
    return f"<table>\n{head}{body}</table>\n"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Html):
        return cell.text
    return shown(moment(cell)) if isinstance(cell, datetime) else shown("" if cell is None else str(cell))
