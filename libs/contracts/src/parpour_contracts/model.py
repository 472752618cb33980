"""The one pydantic base of every document that crosses a component boundary.

Instances are frozen and speak camelCase on the wire. Unknown fields are ignored when a *resource* is read, because
the API server has pruned what its schema does not know and an older reader must survive a newer schema;
documents that only we write forbid them instead.
"""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A frozen value with camelCase names on the wire."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON-ready mapping, without the fields that are unset (None)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Document(Wire):
    """A wire value that only our own components write: an unknown field is a fault."""

    model_config = ConfigDict(extra="forbid")

    def canonical(self) -> bytes:
        """UTF-8 JSON with sorted keys and no spaces: the bytes that digests are taken over."""
        return json.dumps(self.to_wire(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse and validate one document.

        Raises:
            pydantic.ValidationError: naming each offending field.
        """
        return cls.model_validate_json(text)
