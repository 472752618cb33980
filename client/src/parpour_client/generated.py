"""The typed client of the tenant API. Generated from its schema and client/operations; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from parpour_client.model import Model
from parpour_client.transport import Transport


class BankAccountsAccount(Model):
    """A part of an answer."""

    id: str
    code: str


class BankAccountsAnswer(Model):
    """A part of an answer."""

    identification: str
    since: date
    account: BankAccountsAccount


class Money(Model):
    """An amount of a currency of ISO 4217, exact to the minor unit."""

    amount: str
    currency: str
    minor: str


class PageInfo(Model):
    """Where a page lies in its list."""

    has_next_page: bool
    end_cursor: str | None = None


class Statement(Model):
    """A bank's statement of one account, as it was taken over."""

    number: str
    statement: str
    opening: Money
    opened_on: date
    closing: Money
    closed_on: date
    sha256: str
    format: str
    imported_at: datetime
    imported_by: str


class StatementsStatements(Model):
    """A part of an answer."""

    nodes: list[Statement]
    page_info: PageInfo


class StatementsAnswer(Model):
    """A part of an answer."""

    statements: StatementsStatements


class ExceptionKind(StrEnum):
    """Why something is an exception."""

    UNMATCHED_ENTRY = "UNMATCHED_ENTRY"
    UNMATCHED_MOVEMENT = "UNMATCHED_MOVEMENT"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    DUPLICATE = "DUPLICATE"
    RETURNED = "RETURNED"
    FEE = "FEE"
    AMBIGUOUS = "AMBIGUOUS"


class ExceptionProgress(StrEnum):
    """What became of an exception; the last three are final."""

    OPEN = "OPEN"
    PROPOSED = "PROPOSED"
    MATCHED = "MATCHED"
    RESOLVED = "RESOLVED"
    WRITTEN_OFF = "WRITTEN_OFF"


class QueuedExceptionEntry(Model):
    """A part of an answer."""

    statement: str
    position: int


class QueuedExceptionMovement(Model):
    """A part of an answer."""

    journal: str
    leg: int


class QueuedException(Model):
    """What a person must look at: an entry or a movement that has no counterpart."""

    id: str
    kind: ExceptionKind
    state: ExceptionProgress
    amount: Money
    entry: QueuedExceptionEntry | None = None
    movement: QueuedExceptionMovement | None = None
    explanation: str
    opened_at: datetime
    proposed_by: str | None = None
    evidence: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closing_journal: str | None = None


class ExceptionsExceptions(Model):
    """A part of an answer."""

    nodes: list[QueuedException]
    page_info: PageInfo


class ExceptionsAnswer(Model):
    """A part of an answer."""

    exceptions: ExceptionsExceptions


class CheckStatementCheckTotals(Model):
    """A part of an answer."""

    item: str
    count: int
    amount: Money


class CheckStatementCheck(Model):
    """A part of an answer."""

    bank: Money
    ledger: Money
    difference: Money
    unexplained: Money
    agrees: bool
    totals: list[CheckStatementCheckTotals]


class CheckStatement(Model):
    """A part of an answer."""

    number: str
    closed_on: date
    check: CheckStatementCheck


class CheckAnswer(Model):
    """A part of an answer."""

    statement: CheckStatement | None = None


class BoundBankAccount(Model):
    """An account stands for a bank account now, or did before."""

    typename: Annotated[Literal["BoundBankAccount"], Field(alias="__typename")]
    replayed: bool


class Refusal(Model):
    """Why nothing was done."""

    typename: Annotated[Literal["Refusal"], Field(alias="__typename")]
    code: str
    message: str
    field: str | None = None


class Reconciled(Model):
    """What is open was compared, up to the last statement."""

    typename: Annotated[Literal["Reconciled"], Field(alias="__typename")]
    matches: int
    exceptions: int
    in_transit: int


class DecidedException(Model):
    """An exception as it stands now."""

    typename: Annotated[Literal["DecidedException"], Field(alias="__typename")]
    exception: QueuedException


class ExceptionOutcome(StrEnum):
    """How a person closes an exception."""

    RESOLVED = "RESOLVED"
    WRITTEN_OFF = "WRITTEN_OFF"


class Role(StrEnum):
    """What somebody may be in a tenant."""

    OWNER = "OWNER"
    TREASURER = "TREASURER"
    APPROVER = "APPROVER"
    AGENT = "AGENT"
    AUDITOR = "AUDITOR"


class MeAnswer(Model):
    """A part of an answer."""

    tenant: UUID
    actor: str
    roles: list[Role]
    person: str | None = None


class LedgerAnswer(Model):
    """A part of an answer."""

    accounts: str
    journals: str
    recorded_at: datetime | None = None
    locked_until: datetime | None = None


class AccountKind(StrEnum):
    """The five kinds of account."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


class Account(Model):
    """An account. Amounts are in its own direction: assets and expenses grow by debits, others by credits."""

    id: str
    code: str
    name: str
    kind: AccountKind
    currency: str
    opened_at: datetime
    closed_at: datetime | None = None
    balance: Money
    incoming: Money
    outgoing: Money
    available: Money | None = None


class AccountsAnswer(Model):
    """A part of an answer."""

    nodes: list[Account]
    page_info: PageInfo


class Side(StrEnum):
    """The two sides of a journal."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class JournalLegAccount(Model):
    """A part of an answer."""

    id: str
    code: str


class JournalLeg(Model):
    """One line of a journal."""

    side: Side
    amount: Money
    balance: Money
    account: JournalLegAccount


class JournalKind(StrEnum):
    """What a journal is."""

    POSTING = "POSTING"
    SETTLEMENT = "SETTLEMENT"
    REVERSAL = "REVERSAL"


class Journal(Model):
    """A journal: legs that sum to zero in each currency, for good."""

    number: str
    kind: JournalKind
    description: str
    actor: str
    correlation: UUID
    effective_at: datetime
    recorded_at: datetime
    reverses: str | None = None
    hold: str | None = None
    legs: list[JournalLeg]


class JournalsAnswer(Model):
    """A part of an answer."""

    nodes: list[Journal]
    page_info: PageInfo


class HoldLegAccount(Model):
    """A part of an answer."""

    id: str
    code: str


class HoldLeg(Model):
    """One line of a hold."""

    side: Side
    amount: Money
    settled: Money
    account: HoldLegAccount


class HoldState(StrEnum):
    """What became of a hold."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"


class Hold(Model):
    """Amounts that are kept free until they are settled, voided, or the hold expires."""

    id: str
    state: HoldState
    description: str
    actor: str
    placed_at: datetime
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    legs: list[HoldLeg]


class TrialBalanceNodes(Model):
    """A part of an answer."""

    code: str
    kind: AccountKind
    balance: Money


class TrialBalanceAnswer(Model):
    """A part of an answer."""

    nodes: list[TrialBalanceNodes]
    page_info: PageInfo


class Event(Model):
    """Something that happened, as it was committed with what it tells."""

    position: str
    id: UUID
    type: str
    version: int
    time: datetime
    actor: str
    correlation: UUID
    causation: UUID | None = None
    subject: str
    payload: str | None = None
    taint: list[str]


class EventsAnswer(Model):
    """A part of an answer."""

    nodes: list[Event]
    page_info: PageInfo


class OpenedAccount(Model):
    """An account was opened, or the same one was there."""

    typename: Annotated[Literal["OpenedAccount"], Field(alias="__typename")]
    account: Account


class PostedJournal(Model):
    """A journal stands."""

    typename: Annotated[Literal["PostedJournal"], Field(alias="__typename")]
    replayed: bool
    journal: Journal


class LegInput(Model):
    """One line of a journal or of a hold."""

    account: str
    side: Side
    amount: str
    currency: str


class PlacedHold(Model):
    """A hold was placed."""

    typename: Annotated[Literal["PlacedHold"], Field(alias="__typename")]
    replayed: bool
    hold: Hold


class VoidedHold(Model):
    """A hold was voided."""

    typename: Annotated[Literal["VoidedHold"], Field(alias="__typename")]
    replayed: bool
    hold: Hold


class SpendState(StrEnum):
    """Where a spend stands."""

    REFUSED = "REFUSED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    RESERVED = "RESERVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


class Spend(Model):
    """What was asked to be spent, and what became of it."""

    id: str
    state: SpendState
    code: str | None = None
    digest: str
    actor: str
    purpose: str
    amount: Money
    settled: Money
    requested_at: datetime
    expires_at: datetime


class SpendsAnswer(Model):
    """A part of an answer."""

    nodes: list[Spend]
    page_info: PageInfo


class PendingApprovalsAnswer(Model):
    """A part of an answer."""

    nodes: list[Spend]
    page_info: PageInfo


class Envelope(Model):
    """A budget, or a part of one. A spend counts in its envelope and in each one around it."""

    id: str
    code: str
    currency: str
    cap: Money | None = None
    reserved: Money | None = None
    spent: Money | None = None
    left: Money | None = None


class EnvelopesAnswer(Model):
    """A part of an answer."""

    nodes: list[Envelope]
    page_info: PageInfo


class PayeeProvider(StrEnum):
    """Who pays a payee."""

    INTERNAL = "INTERNAL"
    MERCURY = "MERCURY"
    STRIPE = "STRIPE"


class Payee(Model):
    """Whom the venture pays."""

    id: str
    name: str
    category: str
    provider: PayeeProvider
    fingerprint: str
    usable_from: datetime
    held_at: datetime | None = None
    retired_at: datetime | None = None


class PayeesAnswer(Model):
    """A part of an answer."""

    nodes: list[Payee]
    page_info: PageInfo


class Verdict(StrEnum):
    """What becomes of a request."""

    REFUSE = "REFUSE"
    AWAIT = "AWAIT"
    RESERVE = "RESERVE"


class ExplainAnswer(Model):
    """A part of an answer."""

    verdict: Verdict
    codes: list[str]
    lines: list[str] | None = None
    quorum: int | None = None


class SpendInput(Model):
    """What is to be spent."""

    envelope: str
    payee: str
    amount: str
    currency: str
    purpose: str
    lifetime_seconds: int | None = None


class RefusedSpend(Model):
    """The rules refused it. The decision is kept."""

    typename: Annotated[Literal["RefusedSpend"], Field(alias="__typename")]
    code: str
    codes: list[str]
    replayed: bool
    spend: Spend


class RequestedSpend(Model):
    """A request was decided and goes on: it is reserved, or waits for people."""

    typename: Annotated[Literal["RequestedSpend"], Field(alias="__typename")]
    replayed: bool
    spend: Spend


class ApprovedSpend(Model):
    """An approval counts; the spend is reserved, or waits for more."""

    typename: Annotated[Literal["ApprovedSpend"], Field(alias="__typename")]
    replayed: bool
    spend: Spend


class RejectedSpend(Model):
    """A request was rejected."""

    typename: Annotated[Literal["RejectedSpend"], Field(alias="__typename")]
    replayed: bool
    spend: Spend


class CancelledSpend(Model):
    """A request or a reservation was taken back."""

    typename: Annotated[Literal["CancelledSpend"], Field(alias="__typename")]
    replayed: bool
    spend: Spend


_BANK_ACCOUNTS = """query BankAccounts {
  bankAccounts {
    identification
    since
    account {
      id
      code
    }
  }
}"""
_BANK_ACCOUNTS_ANSWER: TypeAdapter[list[BankAccountsAnswer]] = TypeAdapter(list[BankAccountsAnswer])
_STATEMENTS = """query Statements($account: ID!, $first: Int, $after: String) {
  bankAccount(account: $account) {
    statements(first: $first, after: $after) {
      nodes {
        ...Statement
      }
      pageInfo {
        ...PageInfo
      }
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}
fragment Statement on BankStatement {
  number
  statement
  opening {
    ...Money
  }
  openedOn
  closing {
    ...Money
  }
  closedOn
  sha256
  format
  importedAt
  importedBy
}"""
_STATEMENTS_ANSWER: TypeAdapter[StatementsAnswer | None] = TypeAdapter(StatementsAnswer | None)
_EXCEPTIONS = """query Exceptions($account: ID!, $states: [ExceptionProgress!], $first: Int, $after: String) {
  bankAccount(account: $account) {
    exceptions(states: $states, first: $first, after: $after) {
      nodes {
        ...QueuedException
      }
      pageInfo {
        ...PageInfo
      }
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}
fragment QueuedException on ReconciliationException {
  id
  kind
  state
  amount {
    ...Money
  }
  entry {
    statement
    position
  }
  movement {
    journal
    leg
  }
  explanation
  openedAt
  proposedBy
  evidence
  closedAt
  closedBy
  closingJournal
}"""
_EXCEPTIONS_ANSWER: TypeAdapter[ExceptionsAnswer | None] = TypeAdapter(ExceptionsAnswer | None)
_CHECK = """query Check($account: ID!, $statement: ID) {
  bankAccount(account: $account) {
    statement(number: $statement) {
      number
      closedOn
      check {
        bank {
          ...Money
        }
        ledger {
          ...Money
        }
        difference {
          ...Money
        }
        unexplained {
          ...Money
        }
        agrees
        totals {
          item
          count
          amount {
            ...Money
          }
        }
      }
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}"""
_CHECK_ANSWER: TypeAdapter[CheckAnswer | None] = TypeAdapter(CheckAnswer | None)
_BIND_BANK_ACCOUNT = """mutation BindBankAccount($account: ID!, $identification: String!, $since: Date!) {
  bindBankAccount(
    account: $account
    identification: $identification
    since: $since
  ) {
    ... on BoundBankAccount {
      ...BoundBankAccount
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment BoundBankAccount on BoundBankAccount {
  __typename
  replayed
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_BIND_BANK_ACCOUNT_ANSWER: TypeAdapter[BoundBankAccount | Refusal] = TypeAdapter(BoundBankAccount | Refusal)
_RECONCILE = """mutation Reconcile($account: ID!) {
  reconcile(account: $account) {
    ... on Reconciled {
      ...Reconciled
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Reconciled on Reconciled {
  __typename
  matches
  exceptions
  inTransit
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_RECONCILE_ANSWER: TypeAdapter[Reconciled | Refusal] = TypeAdapter(Reconciled | Refusal)
_RESOLVE_EXCEPTION = """mutation ResolveException($exception: ID!, $outcome: ExceptionOutcome!, $evidence: String!) {
  resolveException(exception: $exception, outcome: $outcome, evidence: $evidence) {
    ... on DecidedException {
      ...DecidedException
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment DecidedException on DecidedException {
  __typename
  exception {
    ...QueuedException
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment QueuedException on ReconciliationException {
  id
  kind
  state
  amount {
    ...Money
  }
  entry {
    statement
    position
  }
  movement {
    journal
    leg
  }
  explanation
  openedAt
  proposedBy
  evidence
  closedAt
  closedBy
  closingJournal
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_RESOLVE_EXCEPTION_ANSWER: TypeAdapter[DecidedException | Refusal] = TypeAdapter(DecidedException | Refusal)
_ME = """query Me {
  me {
    tenant
    actor
    roles
    person
  }
}"""
_ME_ANSWER: TypeAdapter[MeAnswer] = TypeAdapter(MeAnswer)
_LEDGER = """query Ledger {
  ledger {
    accounts
    journals
    recordedAt
    lockedUntil
  }
}"""
_LEDGER_ANSWER: TypeAdapter[LedgerAnswer] = TypeAdapter(LedgerAnswer)
_ACCOUNTS = """query Accounts($first: Int, $after: String) {
  accounts(first: $first, after: $after) {
    nodes {
      ...Account
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Account on Account {
  id
  code
  name
  kind
  currency
  openedAt
  closedAt
  balance {
    ...Money
  }
  incoming {
    ...Money
  }
  outgoing {
    ...Money
  }
  available {
    ...Money
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}"""
_ACCOUNTS_ANSWER: TypeAdapter[AccountsAnswer] = TypeAdapter(AccountsAnswer)
_ACCOUNT = """query Account($id: ID!) {
  account(id: $id) {
    ...Account
  }
}
fragment Account on Account {
  id
  code
  name
  kind
  currency
  openedAt
  closedAt
  balance {
    ...Money
  }
  incoming {
    ...Money
  }
  outgoing {
    ...Money
  }
  available {
    ...Money
  }
}
fragment Money on Money {
  amount
  currency
  minor
}"""
_ACCOUNT_ANSWER: TypeAdapter[Account | None] = TypeAdapter(Account | None)
_JOURNALS = """query Journals($first: Int, $after: String) {
  journals(first: $first, after: $after) {
    nodes {
      ...Journal
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Journal on Journal {
  number
  kind
  description
  actor
  correlation
  effectiveAt
  recordedAt
  reverses
  hold
  legs {
    ...JournalLeg
  }
}
fragment JournalLeg on Leg {
  side
  amount {
    ...Money
  }
  balance {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}"""
_JOURNALS_ANSWER: TypeAdapter[JournalsAnswer] = TypeAdapter(JournalsAnswer)
_JOURNAL = """query Journal($number: ID!) {
  journal(number: $number) {
    ...Journal
  }
}
fragment Journal on Journal {
  number
  kind
  description
  actor
  correlation
  effectiveAt
  recordedAt
  reverses
  hold
  legs {
    ...JournalLeg
  }
}
fragment JournalLeg on Leg {
  side
  amount {
    ...Money
  }
  balance {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}"""
_JOURNAL_ANSWER: TypeAdapter[Journal | None] = TypeAdapter(Journal | None)
_HOLD = """query Hold($id: ID!) {
  hold(id: $id) {
    ...Hold
  }
}
fragment Hold on Hold {
  id
  state
  description
  actor
  placedAt
  expiresAt
  closedAt
  legs {
    ...HoldLeg
  }
}
fragment HoldLeg on HoldLeg {
  side
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}"""
_HOLD_ANSWER: TypeAdapter[Hold | None] = TypeAdapter(Hold | None)
_TRIAL_BALANCE = """query TrialBalance($effectiveAt: DateTime, $recordedAt: DateTime, $first: Int, $after: String) {
  trialBalance(
    effectiveAt: $effectiveAt
    recordedAt: $recordedAt
    first: $first
    after: $after
  ) {
    nodes {
      code
      kind
      balance {
        ...Money
      }
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}"""
_TRIAL_BALANCE_ANSWER: TypeAdapter[TrialBalanceAnswer] = TypeAdapter(TrialBalanceAnswer)
_EVENTS = """query Events($subject: String, $first: Int, $after: String) {
  events(subject: $subject, first: $first, after: $after) {
    nodes {
      ...Event
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Event on Event {
  position
  id
  type
  version
  time
  actor
  correlation
  causation
  subject
  payload
  taint
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}"""
_EVENTS_ANSWER: TypeAdapter[EventsAnswer] = TypeAdapter(EventsAnswer)
_OPEN_ACCOUNT = """mutation OpenAccount($code: String!, $name: String!, $kind: AccountKind!, $currency: String!, $minimum: String, $maximum: String) {
  openAccount(
    code: $code
    name: $name
    kind: $kind
    currency: $currency
    minimum: $minimum
    maximum: $maximum
  ) {
    ... on OpenedAccount {
      ...OpenedAccount
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Account on Account {
  id
  code
  name
  kind
  currency
  openedAt
  closedAt
  balance {
    ...Money
  }
  incoming {
    ...Money
  }
  outgoing {
    ...Money
  }
  available {
    ...Money
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment OpenedAccount on OpenedAccount {
  __typename
  account {
    ...Account
  }
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_OPEN_ACCOUNT_ANSWER: TypeAdapter[OpenedAccount | Refusal] = TypeAdapter(OpenedAccount | Refusal)
_POST_JOURNAL = """mutation PostJournal($key: String!, $legs: [LegInput!]!, $description: String! = "", $effectiveAt: DateTime) {
  postJournal(
    key: $key
    legs: $legs
    description: $description
    effectiveAt: $effectiveAt
  ) {
    ... on PostedJournal {
      ...PostedJournal
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Journal on Journal {
  number
  kind
  description
  actor
  correlation
  effectiveAt
  recordedAt
  reverses
  hold
  legs {
    ...JournalLeg
  }
}
fragment JournalLeg on Leg {
  side
  amount {
    ...Money
  }
  balance {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PostedJournal on PostedJournal {
  __typename
  replayed
  journal {
    ...Journal
  }
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_POST_JOURNAL_ANSWER: TypeAdapter[PostedJournal | Refusal] = TypeAdapter(PostedJournal | Refusal)
_REVERSE_JOURNAL = """mutation ReverseJournal($key: String!, $journal: ID!, $description: String! = "") {
  reverseJournal(key: $key, journal: $journal, description: $description) {
    ... on PostedJournal {
      ...PostedJournal
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Journal on Journal {
  number
  kind
  description
  actor
  correlation
  effectiveAt
  recordedAt
  reverses
  hold
  legs {
    ...JournalLeg
  }
}
fragment JournalLeg on Leg {
  side
  amount {
    ...Money
  }
  balance {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PostedJournal on PostedJournal {
  __typename
  replayed
  journal {
    ...Journal
  }
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_REVERSE_JOURNAL_ANSWER: TypeAdapter[PostedJournal | Refusal] = TypeAdapter(PostedJournal | Refusal)
_PLACE_HOLD = """mutation PlaceHold($key: String!, $legs: [LegInput!]!, $description: String! = "", $expiresAt: DateTime) {
  placeHold(
    key: $key
    legs: $legs
    description: $description
    expiresAt: $expiresAt
  ) {
    ... on PlacedHold {
      ...PlacedHold
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Hold on Hold {
  id
  state
  description
  actor
  placedAt
  expiresAt
  closedAt
  legs {
    ...HoldLeg
  }
}
fragment HoldLeg on HoldLeg {
  side
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PlacedHold on PlacedHold {
  __typename
  replayed
  hold {
    ...Hold
  }
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}"""
_PLACE_HOLD_ANSWER: TypeAdapter[PlacedHold | Refusal] = TypeAdapter(PlacedHold | Refusal)
_VOID_HOLD = """mutation VoidHold($key: String!, $hold: ID!) {
  voidHold(key: $key, hold: $hold) {
    ... on VoidedHold {
      ...VoidedHold
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Hold on Hold {
  id
  state
  description
  actor
  placedAt
  expiresAt
  closedAt
  legs {
    ...HoldLeg
  }
}
fragment HoldLeg on HoldLeg {
  side
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  account {
    id
    code
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}
fragment VoidedHold on VoidedHold {
  __typename
  replayed
  hold {
    ...Hold
  }
}"""
_VOID_HOLD_ANSWER: TypeAdapter[VoidedHold | Refusal] = TypeAdapter(VoidedHold | Refusal)
_SPEND = """query Spend($id: ID!) {
  spend(id: $id) {
    ...Spend
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_SPEND_ANSWER: TypeAdapter[Spend | None] = TypeAdapter(Spend | None)
_SPENDS = """query Spends($state: SpendState, $payee: ID, $envelope: ID, $actor: String, $first: Int, $after: String) {
  spends(
    state: $state
    payee: $payee
    envelope: $envelope
    actor: $actor
    first: $first
    after: $after
  ) {
    nodes {
      ...Spend
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_SPENDS_ANSWER: TypeAdapter[SpendsAnswer] = TypeAdapter(SpendsAnswer)
_PENDING_APPROVALS = """query PendingApprovals($first: Int, $after: String) {
  pendingApprovals(first: $first, after: $after) {
    nodes {
      ...Spend
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_PENDING_APPROVALS_ANSWER: TypeAdapter[PendingApprovalsAnswer] = TypeAdapter(PendingApprovalsAnswer)
_ENVELOPES = """query Envelopes($first: Int, $after: String) {
  envelopes(first: $first, after: $after) {
    nodes {
      ...Envelope
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment Envelope on Envelope {
  id
  code
  currency
  cap {
    ...Money
  }
  reserved {
    ...Money
  }
  spent {
    ...Money
  }
  left {
    ...Money
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}"""
_ENVELOPES_ANSWER: TypeAdapter[EnvelopesAnswer] = TypeAdapter(EnvelopesAnswer)
_PAYEES = """query Payees($first: Int, $after: String) {
  payees(first: $first, after: $after) {
    nodes {
      ...Payee
    }
    pageInfo {
      ...PageInfo
    }
  }
}
fragment PageInfo on PageInfo {
  hasNextPage
  endCursor
}
fragment Payee on Payee {
  id
  name
  category
  provider
  fingerprint
  usableFrom
  heldAt
  retiredAt
}"""
_PAYEES_ANSWER: TypeAdapter[PayeesAnswer] = TypeAdapter(PayeesAnswer)
_EXPLAIN = """query Explain($spend: SpendInput!) {
  explain(spend: $spend) {
    verdict
    codes
    lines
    quorum
  }
}"""
_EXPLAIN_ANSWER: TypeAdapter[ExplainAnswer] = TypeAdapter(ExplainAnswer)
_REQUEST_SPEND = """mutation RequestSpend($key: String!, $spend: SpendInput!) {
  requestSpend(key: $key, spend: $spend) {
    ... on RequestedSpend {
      ...RequestedSpend
    }
    ... on RefusedSpend {
      ...RefusedSpend
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}
fragment RefusedSpend on RefusedSpend {
  __typename
  code
  codes
  replayed
  spend {
    ...Spend
  }
}
fragment RequestedSpend on RequestedSpend {
  __typename
  replayed
  spend {
    ...Spend
  }
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_REQUEST_SPEND_ANSWER: TypeAdapter[RequestedSpend | RefusedSpend | Refusal] = TypeAdapter(RequestedSpend | RefusedSpend | Refusal)
_APPROVE_SPEND = """mutation ApproveSpend($key: String!, $spend: ID!, $digest: String!) {
  approveSpend(key: $key, spend: $spend, digest: $digest) {
    ... on ApprovedSpend {
      ...ApprovedSpend
    }
    ... on RefusedSpend {
      ...RefusedSpend
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment ApprovedSpend on ApprovedSpend {
  __typename
  replayed
  spend {
    ...Spend
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}
fragment RefusedSpend on RefusedSpend {
  __typename
  code
  codes
  replayed
  spend {
    ...Spend
  }
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_APPROVE_SPEND_ANSWER: TypeAdapter[ApprovedSpend | RefusedSpend | Refusal] = TypeAdapter(ApprovedSpend | RefusedSpend | Refusal)
_REJECT_SPEND = """mutation RejectSpend($key: String!, $spend: ID!) {
  rejectSpend(key: $key, spend: $spend) {
    ... on RejectedSpend {
      ...RejectedSpend
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}
fragment RejectedSpend on RejectedSpend {
  __typename
  replayed
  spend {
    ...Spend
  }
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_REJECT_SPEND_ANSWER: TypeAdapter[RejectedSpend | Refusal] = TypeAdapter(RejectedSpend | Refusal)
_CANCEL_SPEND = """mutation CancelSpend($key: String!, $spend: ID!) {
  cancelSpend(key: $key, spend: $spend) {
    ... on CancelledSpend {
      ...CancelledSpend
    }
    ... on Refusal {
      ...Refusal
    }
  }
}
fragment CancelledSpend on CancelledSpend {
  __typename
  replayed
  spend {
    ...Spend
  }
}
fragment Money on Money {
  amount
  currency
  minor
}
fragment Refusal on Refusal {
  __typename
  code
  message
  field
}
fragment Spend on Spend {
  id
  state
  code
  digest
  actor
  purpose
  amount {
    ...Money
  }
  settled {
    ...Money
  }
  requestedAt
  expiresAt
}"""
_CANCEL_SPEND_ANSWER: TypeAdapter[CancelledSpend | Refusal] = TypeAdapter(CancelledSpend | Refusal)


class Client(Transport):
    """Every operation of client/operations as a method."""

    async def bank_accounts(self) -> list[BankAccountsAnswer]:
        """The accounts that stand for bank accounts."""
        variables: dict[str, object] = {}
        data = await self.execute(_BANK_ACCOUNTS, "BankAccounts", variables)
        return _BANK_ACCOUNTS_ANSWER.validate_python(data["bankAccounts"])

    async def statements(self, *, account: str, first: int | None = None, after: str | None = None) -> StatementsAnswer | None:
        """The bank account that an account of the books stands for."""
        variables: dict[str, object] = {"account": account, "first": first, "after": after}
        data = await self.execute(_STATEMENTS, "Statements", variables)
        return _STATEMENTS_ANSWER.validate_python(data["bankAccount"])

    async def exceptions(self, *, account: str, states: list[ExceptionProgress] | None = None, first: int | None = None, after: str | None = None) -> ExceptionsAnswer | None:
        """The bank account that an account of the books stands for."""
        variables: dict[str, object] = {"account": account, "states": states, "first": first, "after": after}
        data = await self.execute(_EXCEPTIONS, "Exceptions", variables)
        return _EXCEPTIONS_ANSWER.validate_python(data["bankAccount"])

    async def check(self, *, account: str, statement: str | None = None) -> CheckAnswer | None:
        """The bank account that an account of the books stands for."""
        variables: dict[str, object] = {"account": account, "statement": statement}
        data = await self.execute(_CHECK, "Check", variables)
        return _CHECK_ANSWER.validate_python(data["bankAccount"])

    async def bind_bank_account(self, *, account: str, identification: str, since: date) -> BoundBankAccount | Refusal:
        """Say for good which bank account an account of the books stands for."""
        variables: dict[str, object] = {"account": account, "identification": identification, "since": since}
        data = await self.execute(_BIND_BANK_ACCOUNT, "BindBankAccount", variables)
        return _BIND_BANK_ACCOUNT_ANSWER.validate_python(data["bindBankAccount"])

    async def reconcile(self, *, account: str) -> Reconciled | Refusal:
        """Match what is open with the books, up to the last statement."""
        variables: dict[str, object] = {"account": account}
        data = await self.execute(_RECONCILE, "Reconcile", variables)
        return _RECONCILE_ANSWER.validate_python(data["reconcile"])

    async def resolve_exception(self, *, exception: str, outcome: ExceptionOutcome, evidence: str) -> DecidedException | Refusal:
        """Close an exception without posting anything."""
        variables: dict[str, object] = {"exception": exception, "outcome": outcome, "evidence": evidence}
        data = await self.execute(_RESOLVE_EXCEPTION, "ResolveException", variables)
        return _RESOLVE_EXCEPTION_ANSWER.validate_python(data["resolveException"])

    async def me(self) -> MeAnswer:
        """Who asks."""
        variables: dict[str, object] = {}
        data = await self.execute(_ME, "Me", variables)
        return _ME_ANSWER.validate_python(data["me"])

    async def ledger(self) -> LedgerAnswer:
        """The head of the tenant's books."""
        variables: dict[str, object] = {}
        data = await self.execute(_LEDGER, "Ledger", variables)
        return _LEDGER_ANSWER.validate_python(data["ledger"])

    async def accounts(self, *, first: int | None = None, after: str | None = None) -> AccountsAnswer:
        """The accounts, in the order in which they were opened."""
        variables: dict[str, object] = {"first": first, "after": after}
        data = await self.execute(_ACCOUNTS, "Accounts", variables)
        return _ACCOUNTS_ANSWER.validate_python(data["accounts"])

    async def account(self, *, id: str) -> Account | None:
        """An account."""
        variables: dict[str, object] = {"id": id}
        data = await self.execute(_ACCOUNT, "Account", variables)
        return _ACCOUNT_ANSWER.validate_python(data["account"])

    async def journals(self, *, first: int | None = None, after: str | None = None) -> JournalsAnswer:
        """The journals, by number."""
        variables: dict[str, object] = {"first": first, "after": after}
        data = await self.execute(_JOURNALS, "Journals", variables)
        return _JOURNALS_ANSWER.validate_python(data["journals"])

    async def journal(self, *, number: str) -> Journal | None:
        """A journal."""
        variables: dict[str, object] = {"number": number}
        data = await self.execute(_JOURNAL, "Journal", variables)
        return _JOURNAL_ANSWER.validate_python(data["journal"])

    async def hold(self, *, id: str) -> Hold | None:
        """A hold."""
        variables: dict[str, object] = {"id": id}
        data = await self.execute(_HOLD, "Hold", variables)
        return _HOLD_ANSWER.validate_python(data["hold"])

    async def trial_balance(self, *, effective_at: datetime | None = None, recorded_at: datetime | None = None, first: int | None = None, after: str | None = None) -> TrialBalanceAnswer:
        """Every account's balance at two times."""
        variables: dict[str, object] = {"effectiveAt": effective_at, "recordedAt": recorded_at, "first": first, "after": after}
        data = await self.execute(_TRIAL_BALANCE, "TrialBalance", variables)
        return _TRIAL_BALANCE_ANSWER.validate_python(data["trialBalance"])

    async def events(self, *, subject: str | None = None, first: int | None = None, after: str | None = None) -> EventsAnswer:
        """What happened, by its place: within a second or two of its commit."""
        variables: dict[str, object] = {"subject": subject, "first": first, "after": after}
        data = await self.execute(_EVENTS, "Events", variables)
        return _EVENTS_ANSWER.validate_python(data["events"])

    async def open_account(self, *, code: str, name: str, kind: AccountKind, currency: str, minimum: str | None = None, maximum: str | None = None) -> OpenedAccount | Refusal:
        """Open an account. The same account again is found; another under its code is refused."""
        variables: dict[str, object] = {"code": code, "name": name, "kind": kind, "currency": currency, "minimum": minimum, "maximum": maximum}
        data = await self.execute(_OPEN_ACCOUNT, "OpenAccount", variables)
        return _OPEN_ACCOUNT_ANSWER.validate_python(data["openAccount"])

    async def post_journal(self, *, key: str, legs: list[LegInput], description: str | None = None, effective_at: datetime | None = None) -> PostedJournal | Refusal:
        """Post a journal: debits and credits that are equal in each currency."""
        variables: dict[str, object] = {"key": key, "legs": legs, "description": description, "effectiveAt": effective_at}
        data = await self.execute(_POST_JOURNAL, "PostJournal", variables)
        return _POST_JOURNAL_ANSWER.validate_python(data["postJournal"])

    async def reverse_journal(self, *, key: str, journal: str, description: str | None = None) -> PostedJournal | Refusal:
        """Post the opposite of a journal; each is reversed at most once."""
        variables: dict[str, object] = {"key": key, "journal": journal, "description": description}
        data = await self.execute(_REVERSE_JOURNAL, "ReverseJournal", variables)
        return _REVERSE_JOURNAL_ANSWER.validate_python(data["reverseJournal"])

    async def place_hold(self, *, key: str, legs: list[LegInput], description: str | None = None, expires_at: datetime | None = None) -> PlacedHold | Refusal:
        """Keep amounts free until they are settled, voided, or the hold expires."""
        variables: dict[str, object] = {"key": key, "legs": legs, "description": description, "expiresAt": expires_at}
        data = await self.execute(_PLACE_HOLD, "PlaceHold", variables)
        return _PLACE_HOLD_ANSWER.validate_python(data["placeHold"])

    async def void_hold(self, *, key: str, hold: str) -> VoidedHold | Refusal:
        """Set free what a hold keeps."""
        variables: dict[str, object] = {"key": key, "hold": hold}
        data = await self.execute(_VOID_HOLD, "VoidHold", variables)
        return _VOID_HOLD_ANSWER.validate_python(data["voidHold"])

    async def spend(self, *, id: str) -> Spend | None:
        """A spend; an agent sees its own."""
        variables: dict[str, object] = {"id": id}
        data = await self.execute(_SPEND, "Spend", variables)
        return _SPEND_ANSWER.validate_python(data["spend"])

    async def spends(self, *, state: SpendState | None = None, payee: str | None = None, envelope: str | None = None, actor: str | None = None, first: int | None = None, after: str | None = None) -> SpendsAnswer:
        """The spends, by the time they were asked for; an agent sees its own."""
        variables: dict[str, object] = {"state": state, "payee": payee, "envelope": envelope, "actor": actor, "first": first, "after": after}
        data = await self.execute(_SPENDS, "Spends", variables)
        return _SPENDS_ANSWER.validate_python(data["spends"])

    async def pending_approvals(self, *, first: int | None = None, after: str | None = None) -> PendingApprovalsAnswer:
        """The spends that wait for people, neither asked for nor decided by the caller so far."""
        variables: dict[str, object] = {"first": first, "after": after}
        data = await self.execute(_PENDING_APPROVALS, "PendingApprovals", variables)
        return _PENDING_APPROVALS_ANSWER.validate_python(data["pendingApprovals"])

    async def envelopes(self, *, first: int | None = None, after: str | None = None) -> EnvelopesAnswer:
        """The envelopes, by code."""
        variables: dict[str, object] = {"first": first, "after": after}
        data = await self.execute(_ENVELOPES, "Envelopes", variables)
        return _ENVELOPES_ANSWER.validate_python(data["envelopes"])

    async def payees(self, *, first: int | None = None, after: str | None = None) -> PayeesAnswer:
        """The payees, by id."""
        variables: dict[str, object] = {"first": first, "after": after}
        data = await self.execute(_PAYEES, "Payees", variables)
        return _PAYEES_ANSWER.validate_python(data["payees"])

    async def explain(self, *, spend: SpendInput) -> ExplainAnswer:
        """What would become of a request now. Nothing is kept, and nothing is counted."""
        variables: dict[str, object] = {"spend": spend}
        data = await self.execute(_EXPLAIN, "Explain", variables)
        return _EXPLAIN_ANSWER.validate_python(data["explain"])

    async def request_spend(self, *, key: str, spend: SpendInput) -> RequestedSpend | RefusedSpend | Refusal:
        """Ask to spend. It is decided at once."""
        variables: dict[str, object] = {"key": key, "spend": spend}
        data = await self.execute(_REQUEST_SPEND, "RequestSpend", variables)
        return _REQUEST_SPEND_ANSWER.validate_python(data["requestSpend"])

    async def approve_spend(self, *, key: str, spend: str, digest: str) -> ApprovedSpend | RefusedSpend | Refusal:
        """Approve a request, as a person who has just authenticated and is not the one who asked."""
        variables: dict[str, object] = {"key": key, "spend": spend, "digest": digest}
        data = await self.execute(_APPROVE_SPEND, "ApproveSpend", variables)
        return _APPROVE_SPEND_ANSWER.validate_python(data["approveSpend"])

    async def reject_spend(self, *, key: str, spend: str) -> RejectedSpend | Refusal:
        """Reject a request, as a person; one suffices."""
        variables: dict[str, object] = {"key": key, "spend": spend}
        data = await self.execute(_REJECT_SPEND, "RejectSpend", variables)
        return _REJECT_SPEND_ANSWER.validate_python(data["rejectSpend"])

    async def cancel_spend(self, *, key: str, spend: str) -> CancelledSpend | Refusal:
        """Take a request or a reservation back before it is sent."""
        variables: dict[str, object] = {"key": key, "spend": spend}
        data = await self.execute(_CANCEL_SPEND, "CancelSpend", variables)
        return _CANCEL_SPEND_ANSWER.validate_python(data["cancelSpend"])
