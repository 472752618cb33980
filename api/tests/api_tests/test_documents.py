"""Documents before they are carried out: limits, prices, and how long it takes to refuse a hostile one."""

from __future__ import annotations

import time
from typing import Any

import pytest
from graphql import get_introspection_query

from parpour_api.errors import ApiError
from parpour_api.graphql.costs import WEIGHTS
from parpour_api.graphql.documents import KEPT_CHARACTERS_MAX, KEPT_MAX, DocumentInvalid, DocumentLimits, Documents
from parpour_api.graphql.schema import executable

pytestmark = pytest.mark.unit
LIMITS = DocumentLimits(tokens=2000, depth=12, aliases=30, page=200, introspection=True)


@pytest.fixture
def documents() -> Documents:
    return Documents(executable(), LIMITS)


def cost(documents: Documents, text: str, variables: dict[str, Any] | None = None, name: str | None = None) -> int:
    prepared = documents.prepare(text)
    return documents.cost(prepared, prepared.operation(name), variables or {})


def refusal(documents: Documents, text: str) -> str:
    try:
        documents.prepare(text)
    except ApiError as error:
        return error.code
    except DocumentInvalid:
        return "API_QUERY_INVALID"
    raise AssertionError("it was taken")


DEEP = "{" + "journals{nodes{legs{account" * 1000 + "{id}" + "}" * 3999
HOSTILE = {
    "depth 1,000": ("{" + "a{" * 1000 + "b" + "}" * 1001, {"API_QUERY_TOO_LONG", "API_QUERY_TOO_DEEP"}),
    "depth of real fields": (DEEP, {"API_QUERY_TOO_LONG", "API_QUERY_TOO_DEEP"}),
    "depth of 20": ("{" + "a{" * 20 + "b" + "}" * 21, {"API_QUERY_TOO_DEEP"}),
    "100,000 aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(100_000)) + "}", {"API_QUERY_TOO_LONG"}),
    "31 aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(31)) + "}", {"API_QUERY_TOO_MANY_ALIASES"}),
    "the same field over and over": ("{" + "me{actor}" * 300 + "}", {"API_QUERY_REPETITIVE"}),
    "a cycle of fragments": ("{...A} fragment A on Query {...B} fragment B on Query {...A}", {"API_QUERY_INVALID"}),
    "a fragment in itself": ("{me{...A}} fragment A on Me {actor ...A}", {"API_QUERY_INVALID"}),
    "nested lists": ("{account(id: " + "[" * 1500 + "1" + "]" * 1500, {"API_QUERY_TOO_DEEP", "API_QUERY_TOO_LONG"}),
    "comments": ("#\n" * 100_000 + "{me{actor}}", {"API_QUERY_TOO_LONG"}),
    "introspection in circles": (
        "{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}",
        {"API_QUERY_INVALID"},
    ),
    "no document": ("", {"API_QUERY_MALFORMED"}),
    "a broken document": ("{", {"API_QUERY_MALFORMED"}),
    "a definition of a type": ("type A {b: Int}", {"API_QUERY_INVALID"}),
    "a subscription": ("subscription {x}", {"API_QUERY_INVALID"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_document_is_refused_at_once(documents: Documents, what: str) -> None:
    text, codes = HOSTILE[what]
    began = time.process_time()
    assert refusal(documents, text) in codes
    assert time.process_time() - began < 1.0


def test_fragments_that_double_are_priced_and_bounded_without_being_unfolded(documents: Documents) -> None:
    """Thirty fragments, each with two of the next: a thousand million fields if they were written out."""
    links = "".join(f"fragment F{n} on Account {{ balance {{ minor }} ...F{n + 1} ...F{n + 1} }} " for n in range(30))
    text = f'{{ account(id: "1") {{ ...F0 }} }} {links} fragment F30 on Account {{ id }}'
    began = time.process_time()
    assert cost(documents, text) > 10**9
    assert time.process_time() - began < 1.0


def test_nothing_is_suggested(documents: Documents) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        documents.prepare("{ ledgr { accounts } }")
    assert "ledger" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ __typename }", 1),
        ("{ me { actor roles } }", 1),
        ("{ ledger { journals } }", 2),
        ('{ account(id: "1") { id code } }', 1),
        # An account, its money, and a point because a balance may have to be added up.
        ('{ account(id: "1") { balance { amount } } }', 3),
        ("{ accounts(first: 10) { nodes { id } } }", 1 + 10),
        ("{ accounts(first: 10) { nodes { id balance { minor } } pageInfo { endCursor } } }", 1 + 10 * 3),
        ("{ accounts { nodes { id } } }", 1 + 50),
        ("{ accounts(last: 200) { edges { cursor node { id } } } }", 1 + 200 * 2),
        ("{ accounts(first: 999999) { nodes { id } } }", 1 + 200),
        # Four legs, each with its account.
        ("{ journals(first: 1) { nodes { legs { account { id } } } } }", 1 + 1 * (1 + 4 * 2)),
        ("{ trialBalance(first: 10) { nodes { balance { minor } } } }", 1 + 10 * (1 + 2 + 1)),
        ("{ __schema { queryType { name } } }", 100),
        ('mutation { voidHold(key: "k", hold: "h") { ... on Refusal { code } } }', 11),
    ],
)
def test_a_price_is_what_the_page_says(documents: Documents, text: str, points: int) -> None:
    assert cost(documents, text) == points


def test_a_price_counts_what_variables_ask_for(documents: Documents) -> None:
    text = "query($n: Int = 7) { accounts(first: $n) { nodes { id } } }"
    assert cost(documents, text) == 1 + 7
    assert cost(documents, text, {"n": 3}) == 1 + 3
    for odd in ("x", 10**9, -1, None, 1.5, True):
        assert cost(documents, text, {"n": odd}) in (1 + 200, 1 + 50)


def test_every_field_with_a_weight_is_in_the_schema() -> None:
    schema = executable()
    for name in WEIGHTS:
        kind, _, field = name.partition(".")
        assert field in schema.type_map[kind].fields  # type: ignore[attr-defined]


def test_introspection_as_tools_ask_for_it_is_taken_and_can_be_switched_off(documents: Documents) -> None:
    assert cost(documents, get_introspection_query(), name="IntrospectionQuery") == 100
    closed = Documents(executable(), DocumentLimits(2000, 12, 30, 200, introspection=False))
    assert refusal(closed, get_introspection_query()) == "API_QUERY_INVALID"


def test_one_of_several_operations_is_named(documents: Documents) -> None:
    prepared = documents.prepare("query A { me { actor } } mutation B { __typename }")
    assert prepared.operation("A").fields == ("Query.me",)
    assert (prepared.operation("B").kind, prepared.operation("B").fields) == ("mutation", ("Mutation.__typename",))
    for name in (None, "C", ""):
        with pytest.raises(ApiError, match="API_OPERATION_UNKNOWN"):
            prepared.operation(name)


def test_root_fields_are_found_in_fragments_and_behind_directives(documents: Documents) -> None:
    text = """query($no: Boolean = false) { ...A @include(if: $no) ... on Query { ledger { journals } } }
        fragment A on Query { x: me { actor } ... { journals { nodes { number } } } }"""
    assert set(documents.prepare(text).operation(None).fields) == {"Query.me", "Query.journals", "Query.ledger"}


def test_documents_are_kept_and_only_so_many(documents: Documents) -> None:
    first = documents.prepare("{ me { actor } }")
    assert documents.prepare("{ me { actor } }") is first
    for number in range(KEPT_MAX):
        documents.prepare(f"{{ a{number}: __typename }}")
    assert documents.prepare("{ me { actor } }") is not first
    long = "{ me { actor } } #" + "x" * (KEPT_CHARACTERS_MAX // 2)
    for number in range(3):
        documents.prepare(long + str(number))
    assert len(documents._kept) <= 2
    assert documents._characters <= KEPT_CHARACTERS_MAX
