"""Requests of GraphQL over HTTP, read strictly: media types, bodies and query strings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parpour_api.errors import ApiError

JSON_TYPE = "application/json"
GRAPHQL_TYPE = "application/graphql-response+json"
"""With this one the status tells whether the request was carried out; with JSON it is 200 for whatever is GraphQL."""


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    if len(made) < len(members):
        raise ValueError("a member stands twice")
    return made


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What was sent."""

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


def answer_type(accept: str | None) -> str:
    """The media type of the answer: the preferred one of ours, JSON where none is preferred.

    Raises:
        ApiError: API_NOT_ACCEPTABLE.
    """
    if not accept or accept == "*/*":
        return JSON_TYPE
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        weights[name] = max(weight, weights.get(name, 0.0))
    wild = max(weights.get("*/*", 0.0), weights.get("application/*", 0.0))
    offered = {name: weights.get(name, wild) for name in (JSON_TYPE, GRAPHQL_TYPE)}
    if not max(offered.values()) > 0:
        raise ApiError("API_NOT_ACCEPTABLE", f"this gives {JSON_TYPE} and {GRAPHQL_TYPE}")
    if offered[GRAPHQL_TYPE] == offered[JSON_TYPE]:
        return GRAPHQL_TYPE if GRAPHQL_TYPE in weights else JSON_TYPE
    return max(offered, key=lambda name: offered[name])


def check_media_type(content_type: str | None) -> None:
    """Refuse a body that is not JSON in UTF-8: forms of other sites can send no such one.

    Raises:
        ApiError: API_MEDIA_TYPE.
    """
    name, *parameters = (one.strip().lower() for one in (content_type or "").split(";"))
    charsets = [one.removeprefix("charset=").strip('"') for one in parameters if one.startswith("charset=")]
    if name != JSON_TYPE or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise ApiError("API_MEDIA_TYPE")


def read_body(body: bytes) -> GraphQLRequest:
    """The request of a body.

    Raises:
        ApiError: API_BATCH_REFUSED or API_BODY_MALFORMED.
    """
    return request_of(read_json(body, "the body"))


def read_query_string(parameters: Mapping[str, str]) -> GraphQLRequest:
    """The request of a URL's parameters.

    Raises:
        ApiError: API_BODY_MALFORMED.
    """
    fields: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            fields[name] = read_json(parameters[name].encode(), name)
    return request_of(fields)


def read_json(text: bytes, what: str) -> Any:
    """The value of a text in JSON, as RFC 8259 has it: UTF-8, no NaN, and no member twice.

    Two readers of a text that names a member twice may well take different ones.

    Raises:
        ApiError: API_BODY_MALFORMED.
    """
    try:
        value = _DECODER.decode(text.decode("utf-8-sig"))
        if _SURROGATE.search(text):
            # Halves of surrogate pairs are no text; whole pairs pass.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError("API_BODY_MALFORMED", f"{what} is not JSON in UTF-8") from None
    return value


def request_of(fields: Any) -> GraphQLRequest:
    """The request of a body's fields.

    Raises:
        ApiError: API_BATCH_REFUSED or API_BODY_MALFORMED.
    """
    if isinstance(fields, list):
        raise ApiError("API_BATCH_REFUSED")
    if not isinstance(fields, dict):
        raise ApiError("API_BODY_MALFORMED")
    for name, kind in (("query", str), ("operationName", str), ("variables", dict), ("extensions", dict)):
        if fields.get(name) is not None and not isinstance(fields[name], kind):
            raise ApiError("API_BODY_MALFORMED", f"{name} is of another type")
    return GraphQLRequest(
        fields.get("query"),
        fields.get("operationName") or None,
        fields.get("variables") or {},
        fields.get("extensions") or {},
    )
