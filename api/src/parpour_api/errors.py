"""Every code with which the API refuses: one HTTP status each, and what it tells a person.

Codes of the treasury and of the control plane are theirs; what they mean over HTTP is said here. A code that a rule
covers needs no line, so that a new refusal of the treasury has its status by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from parpour_treasury.refusals import REFUSALS


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means over HTTP and to a person."""

    status: int
    explanation: str


API_CODES: dict[str, Meaning] = {
    "API_BATCH_REFUSED": Meaning(400, "one operation a request: arrays of operations are not carried out"),
    "API_BODY_MALFORMED": Meaning(400, "the body is no JSON object with the fields of a GraphQL request"),
    "API_BODY_TOO_LARGE": Meaning(413, "the body is larger than this endpoint takes"),
    "API_BUSY": Meaning(503, "too many of these are being made: ask again later"),
    "API_CURSOR_INVALID": Meaning(400, "the cursor was not given out for this list"),
    "API_FIELD_FAILED": Meaning(500, "a field could not be answered; the log has the reason under the request's id"),
    "API_FORBIDDEN": Meaning(403, "none of the caller's roles may do this"),
    "API_HEAD_TOO_LARGE": Meaning(431, "the request's fields, or what stands between parts of its body, are too long"),
    "API_HTTP_MALFORMED": Meaning(400, "this is no HTTP that is understood here"),
    "API_IDENTITY_UNAVAILABLE": Meaning(503, "the issuer's keys cannot be had: ask again later"),
    "API_INTERNAL": Meaning(500, "something failed here; the log has the reason under the request's id"),
    "API_MEDIA_TYPE": Meaning(415, "bodies are application/json in UTF-8, and not compressed"),
    "API_METHOD_NOT_ALLOWED": Meaning(405, "this resource does not know the method"),
    "API_MUTATION_BY_GET": Meaning(405, "GET reads only: send mutations by POST"),
    "API_NOT_ACCEPTABLE": Meaning(406, "no media type that is accepted can be given"),
    "API_NOT_FOUND": Meaning(404, "no such resource"),
    "API_MESSAGE_MALFORMED": Meaning(400, "this is no message of graphql-transport-ws, or not at this point"),
    "API_MESSAGE_REPEATED": Meaning(400, "this was said before, or an open subscription has the same id"),
    "API_OPERATION_MISPLACED": Meaning(400, "queries and mutations go over HTTP, subscriptions over a WebSocket"),
    "API_OPERATION_NOT_LISTED": Meaning(403, "only listed operations are carried out"),
    "API_OPERATION_UNKNOWN": Meaning(400, "no listed operation has this digest, or the document lacks the named one"),
    "API_ORIGIN_REFUSED": Meaning(403, "scripts of this origin may not open sockets"),
    "API_PAGE_INVALID": Meaning(400, "give first or last, within the page's cap"),
    "API_POSITION_UNKNOWN": Meaning(400, "no event has this position, or another one than was had"),
    "API_QUERY_INVALID": Meaning(400, "the document does not fit the schema"),
    "API_QUERY_MALFORMED": Meaning(400, "the document is not GraphQL"),
    "API_QUERY_REPETITIVE": Meaning(400, "the document names the same fields too often"),
    "API_QUERY_TOO_COSTLY": Meaning(400, "the operation costs more than one request may"),
    "API_QUERY_TOO_DEEP": Meaning(400, "the document is nested too deeply"),
    "API_QUERY_TOO_LONG": Meaning(400, "the document has too many tokens"),
    "API_QUERY_TOO_MANY_ALIASES": Meaning(400, "the document has too many aliases"),
    "API_RATE_LIMITED": Meaning(
        429, "more was asked in a short time than is allowed: wait as long as Retry-After says"
    ),
    "API_REQUEST_MALFORMED": Meaning(422, "a parameter of the request is outside its range"),
    "API_SCHEMA_MISSING": Meaning(503, "the database lacks migrations that this program needs"),
    "API_SUBSCRIBER_SLOW": Meaning(408, "what was sent was not read in time"),
    "API_SUBSCRIPTIONS_TOO_MANY": Meaning(429, "as many are open as may be"),
    "API_TIMEOUT": Meaning(504, "the request took too long"),
    "API_TOKEN_ALGORITHM": Meaning(401, "the token is signed by another algorithm than its key's"),
    "API_TOKEN_AUDIENCE": Meaning(401, "the token is for another audience"),
    "API_TOKEN_CLAIMS": Meaning(401, "the token lacks a claim, or has one of another form"),
    "API_TOKEN_EXPIRED": Meaning(401, "the token has expired, or lives longer than tokens may"),
    "API_TOKEN_FUTURE": Meaning(401, "the token is of a later time"),
    "API_TOKEN_ISSUER": Meaning(401, "the token is of another issuer"),
    "API_TOKEN_KEY_UNKNOWN": Meaning(401, "the issuer has no such key"),
    "API_TOKEN_MALFORMED": Meaning(401, "no token that can be read"),
    "API_TOKEN_MISSING": Meaning(401, "send a bearer token"),
    "API_TOKEN_REVOKED": Meaning(401, "the token or its bearer was revoked"),
    "API_TOKEN_SIGNATURE": Meaning(401, "the token's signature does not verify"),
    "API_VARIABLES_INVALID": Meaning(400, "the variables do not fit the operation"),
    "API_WEBHOOK_REFUSED": Meaning(401, "nothing about this webhook is to be believed"),
}
"""Refusals of the API itself."""

CONTROL_PLANE_CODES: dict[str, Meaning] = {
    "CONTEXT_EXPIRED": Meaning(503, "the request took longer than its context lives: ask again"),
    "CONTEXT_MISSING": Meaning(500, "the transaction was nobody's"),
    "CONTEXT_REFUSED": Meaning(500, "the database does not know the service's key"),
    "DATABASE_UNAVAILABLE": Meaning(503, "the database cannot be reached: ask again later"),
}
"""What of the control plane a request can meet."""

STATUS_BY_ENDING: tuple[tuple[str, int], ...] = (
    ("_UNKNOWN", 404),
    ("_MALFORMED", 422),
    ("_UNAVAILABLE", 503),
    ("_OVERLOADED", 503),
)
STATUS_BY_BEGINNING: tuple[tuple[str, int], ...] = (("AMOUNT_", 422), ("CURRENCY_", 422), ("STATEMENT_", 422))
STATUS_BY_CODE: dict[str, int] = {
    "STATEMENT_CHANGED": 409,
    "STATEMENT_NOT_CONTINUOUS": 409,
    "STATEMENT_OF_ANOTHER_ACCOUNT": 409,
    "STATEMENT_TOO_LARGE": 413,
    "STATEMENT_UNKNOWN": 404,
}
"""Where a rule would say another one."""
STATUS_OTHERWISE = 409
"""The books as they are do not allow it."""


def treasury_status(code: str) -> int:
    """The HTTP status of a refusal of the treasury, by its name."""
    if code in STATUS_BY_CODE:
        return STATUS_BY_CODE[code]
    for beginning, status in STATUS_BY_BEGINNING:
        if code.startswith(beginning):
            return status
    for ending, status in STATUS_BY_ENDING:
        if code.endswith(ending):
            return status
    return STATUS_OTHERWISE


CATALOGUE: dict[str, Meaning] = {
    **{code: Meaning(treasury_status(code), text) for code, text in REFUSALS.items()},
    **CONTROL_PLANE_CODES,
    **API_CODES,
}
"""Every code that a caller can meet."""


class ApiError(Exception):
    """A refusal of a whole request."""

    def __init__(
        self, code: str, detail: str = "", *, retry_after: int | None = None, allow: Sequence[str] = ()
    ) -> None:
        self.code = code
        """One of `CATALOGUE`."""
        self.detail = detail or CATALOGUE[code].explanation
        self.retry_after = retry_after
        """Seconds after which to ask again, where that is known."""
        self.allow = allow
        """Methods that are known here, where another was used."""
        super().__init__(f"{code}: {self.detail}")

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return CATALOGUE[self.code].status

    def problem(self, *, request_id: str) -> dict[str, object]:
        """The problem details of RFC 9457."""
        return {
            "type": f"urn:parpour:code:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{request_id}",
            "code": self.code,
        }
