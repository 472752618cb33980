"""The page about spending over the API says what the schema and the operations take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from graphql import parse, validate

from parpour_api.app import openapi
from parpour_api.graphql.schema import executable
from parpour_api.spends_http import ApprovalRequest, SpendRequest

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[3] / "docs/how-to/spend-over-the-api.md").read_text()
SHOWN = {"ENVELOPE": str(UUID(int=1)), "PAYEE": str(UUID(int=2)), "DIGEST": "0" * 64}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_document_fits_the_schema() -> None:
    documents = blocks("graphql")
    assert len(documents) == 7
    for text in documents:
        assert validate(executable(), parse(text)) == []


def test_every_call_is_an_operation_with_a_body_that_it_takes() -> None:
    paths = set()
    for text in blocks("sh"):
        address = re.search(r"https://api\.example\.com(\S+)", text)
        assert address
        path = address[1].replace("$SPEND", "{spend}")
        assert path in openapi()["paths"]
        paths.add(path)
        body = re.search(r"-d '(.*)'$", text, re.DOTALL | re.MULTILINE)
        if body:
            filled = re.sub(r"'\$([A-Z]+)'", lambda found: SHOWN[found[1]], body[1])
            (SpendRequest if path == "/v1/spends" else ApprovalRequest).model_validate_json(filled)
    assert paths == {"/v1/spends", "/v1/spends/{spend}", "/v1/spends/{spend}/approve"}


def test_the_problem_that_is_shown_has_the_form_of_problems() -> None:
    shown = json.loads(blocks("json")[0])
    schema = openapi()["components"]["schemas"]["Problem"]
    assert set(schema["required"]) <= set(shown) <= set(schema["properties"])
