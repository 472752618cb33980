"""What the authority keeps of a tenant, as it is handed over: requests, decisions, approvals, providers' answers.

One line of JSON a thing, under its kind's name, read as strictly as it is written. Of decisions, approvals and outcomes
the events have a digest each, of the very text that is kept; so facts and evidence are texts in their lines.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from parpour_controlplane.chain.headers import microseconds
from parpour_controlplane.migrations import sql
from parpour_treasury.auditing.events import loads
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.deciding import Asked, Decision, decide
from parpour_treasury.spending.facts import Facts
from parpour_treasury.spending.rules import RuleBook
from parpour_treasury.spending.states import State, Step

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

PAGE = 1000
"""Lines that are read at once."""

_DOSSIER = sql("parpour_treasury", "queries/dossier.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRules:
    """A version of the rules."""

    version: int
    body: Mapping[str, Any]
    proposed_by: str
    approved_by: str
    effective_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMember:
    """An account of the venture."""

    actor: str
    person: str | None
    roles: tuple[str, ...]
    added_at: AwareDatetime
    revoked_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEnvelope:
    """An envelope as it stood."""

    envelope_id: UUID
    parent_id: UUID | None
    code: str
    currency: str
    cap: int
    reserved: int
    spent: int
    opens_at: AwareDatetime | None
    closes_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPayee:
    """A payee as it stood."""

    payee_id: UUID
    name: str
    category: str
    provider: str
    destination: Mapping[str, str]
    fingerprint: str
    created_at: AwareDatetime
    usable_from: AwareDatetime
    held_at: AwareDatetime | None
    retired_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStops:
    """What stopped spending."""

    frozen_at: AwareDatetime | None
    frozen_by: str | None
    stopped_at: AwareDatetime | None
    stopped_by: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSpend:
    """A spend as it stood."""

    spend_id: UUID
    state: State
    step: Step
    envelope_id: UUID | None
    payee_id: UUID | None
    provider: str | None
    fingerprint: str | None
    currency: str
    amount: int
    settled: int
    purpose: str
    category: str | None
    actor: str
    person: str | None
    rules_version: int
    decision: int
    quorum: int
    digest: str
    hold_id: UUID | None
    code: str | None
    provider_reference: str | None
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    changed_at: AwareDatetime
    changed_by: str
    submitted_at: AwareDatetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A decision with all that it was made from."""

    spend_id: UUID
    number: int
    rules_version: int
    asked: Mapping[str, Any]
    facts: Mapping[str, Any]
    answer: Mapping[str, Any]
    decided_at: AwareDatetime
    salt: UUID
    """What keeps whoever has the digest from trying facts until they fit."""
    record: str = ""
    """Digest of all of it; the event of the step that it led to has the same."""

    def again(self, rules: Mapping[str, Any]) -> bool:
        """Whether the same rules decide the same from the same facts today."""
        try:
            made = decide(RuleBook.model_validate(rules), Facts.from_json(self.facts), Asked.from_json(self.asked))
            return made == Decision.from_json(self.answer)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApproval:
    """What a person approved or rejected."""

    spend_id: UUID
    person: str
    actor: str
    digest: str
    verdict: str
    authenticated_at: AwareDatetime
    decided_at: AwareDatetime
    record: str = ""
    """As of a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutcome:
    """What became of a payment, with the provider's evidence."""

    spend_id: UUID
    reference: str
    step: Step
    provider_reference: str | None
    evidence: Mapping[str, Any]
    fee: int
    actor: str
    recorded_at: AwareDatetime
    record: str = ""
    """As of a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCourse:
    """What the payment worker knew of a payment."""

    spend_id: UUID
    version: int
    history: Mapping[str, Any]
    next_at: AwareDatetime | None
    asks_person: bool
    updated_at: AwareDatetime


_KINDS: dict[str, TypeAdapter[Any]] = {
    "rules": TypeAdapter(KeptRules),
    "member": TypeAdapter(KeptMember),
    "envelope": TypeAdapter(KeptEnvelope),
    "payee": TypeAdapter(KeptPayee),
    "stops": TypeAdapter(KeptStops),
    "spend": TypeAdapter(KeptSpend),
    "decision": TypeAdapter(KeptDecision),
    "approval": TypeAdapter(KeptApproval),
    "outcome": TypeAdapter(KeptOutcome),
    "course": TypeAdapter(KeptCourse),
}


@dataclass(frozen=True)
class Dossier:
    """All of it. What is one a spend is found by the spend."""

    rules: Mapping[int, KeptRules]
    members: Mapping[str, KeptMember]
    envelopes: Mapping[UUID, KeptEnvelope]
    payees: Mapping[UUID, KeptPayee]
    stops: KeptStops | None
    """None if the venture was never set up."""
    spends: Mapping[UUID, KeptSpend]
    decisions: Mapping[UUID, list[KeptDecision]]
    approvals: Mapping[UUID, list[KeptApproval]]
    outcomes: Mapping[UUID, list[KeptOutcome]]
    courses: Mapping[UUID, KeptCourse]


async def dossier_lines(connection: type_of_connection) -> AsyncIterator[str]:
    """The lines of the tenant whose transaction this is, of one moment (`Database.transaction`)."""
    await connection.execute(f"declare dossier no scroll cursor for {_DOSSIER}")
    while rows := await connection.fetch(f"fetch {PAGE} from dossier"):
        for row in rows:
            yield row["line"]


def read_dossier(lines: Iterable[str]) -> Dossier:
    """What these lines hold.

    Raises:
        TreasuryError: AUDIT_DOSSIER_MALFORMED, with the line.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    for number, line in enumerate(lines, 1):
        try:
            ((kind, thing),) = loads(line).items()
            found[kind].append(_read(kind, thing))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError, ValidationError) as error:
            raise TreasuryError("AUDIT_DOSSIER_MALFORMED", field=f"line {number}", detail=_shown(error)) from None
    return Dossier(
        rules={one.version: one for one in found["rules"]},
        members={one.actor: one for one in found["member"]},
        envelopes={one.envelope_id: one for one in found["envelope"]},
        payees={one.payee_id: one for one in found["payee"]},
        stops=next(iter(found["stops"]), None),
        spends={one.spend_id: one for one in found["spend"]},
        decisions=_by_spend(found["decision"]),
        approvals=_by_spend(found["approval"]),
        outcomes=_by_spend(found["outcome"]),
        courses={one.spend_id: one for one in found["course"]},
    )


def record_digest(*fields: str | None) -> str:
    """SHA-256 of fields, each after its length, in hexadecimal; what is not there is as empty."""
    return sha256("".join(f"{len(field or '')}:{field or ''}" for field in fields).encode()).hexdigest()


def _read(kind: str, thing: Mapping[str, Any]) -> Any:
    if "record" in thing:
        raise ValueError("a digest is made, not taken")
    texts = {name: thing[name] for name in _TEXTS.get(kind, ())}
    values = {name: loads(text) for name, text in texts.items()}
    one = _KINDS[kind].validate_python({**thing, **values})
    make = _RECORDS.get(kind)
    return one if make is None else replace(one, record=make(one, texts))


def _decision_record(one: KeptDecision, texts: Mapping[str, str]) -> str:
    fields = (
        str(one.spend_id),
        str(one.number),
        str(one.rules_version),
        texts["asked"],
        texts["facts"],
        texts["answer"],
    )
    return record_digest("decision/1", *fields, str(microseconds(one.decided_at)), str(one.salt))


def _approval_record(one: KeptApproval, _texts: Mapping[str, str]) -> str:
    fields = (str(one.spend_id), one.person, one.actor, one.digest, one.verdict)
    times = (str(microseconds(at)) for at in (one.authenticated_at, one.decided_at))
    return record_digest("approval/1", *fields, *times)


def _outcome_record(one: KeptOutcome, texts: Mapping[str, str]) -> str:
    fields = (str(one.spend_id), one.reference, one.step.value, one.provider_reference, texts["evidence"], str(one.fee))
    return record_digest("outcome/1", *fields, one.actor, str(microseconds(one.recorded_at)))


_TEXTS: dict[str, tuple[str, ...]] = {"decision": ("asked", "facts", "answer"), "outcome": ("evidence",)}
"""What of a kind is handed over as the text that is kept."""

_RECORDS: dict[str, Callable[[Any, Mapping[str, str]], str]] = {
    "decision": _decision_record,
    "approval": _approval_record,
    "outcome": _outcome_record,
}
"""The digest that events have of a kind."""


def _by_spend(things: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for one in things:
        found.setdefault(one.spend_id, []).append(one)
    return found


def _shown(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"not one thing of a known kind: {type(error).__name__}"
