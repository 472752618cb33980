"""What events of each type say: a model a version, and how what an older version said is said today.

An event is never rewritten, so readers meet every version that was ever written. They ask for the newest form and get
it, whichever version the event has: upcasters lead from each version to the next. Each component declares its types
beside the code that writes them; a registry holds those that a reader is to understand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from parpour_contracts.model import Document

Upcaster: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
"""What a payload says in the next version's words; it changes nothing that it is given."""


class EventTypeError(ValueError):
    """An event that readers do not understand; its stable code is EVENT_TYPE_UNKNOWN or EVENT_PAYLOAD_INVALID."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """Stable code."""


@dataclass(frozen=True)
class EventType:
    """One type, in all its versions."""

    name: str
    """For example treasury.journal.posted."""
    summary: str
    """When it is written, in one sentence."""
    models: tuple[type[Document], ...]
    """One a version, from 1."""
    upcasters: tuple[Upcaster, ...] = ()
    """From each version but the last to the next."""

    def __post_init__(self) -> None:
        if not self.models or len(self.upcasters) != len(self.models) - 1:
            raise ValueError(f"{self.name}: every version but the last has an upcaster")


class EventTypes:
    """The types that a reader understands."""

    def __init__(self, types: Iterable[EventType]) -> None:
        self._types: dict[str, EventType] = {}
        for one in types:
            if one.name in self._types:
                raise ValueError(f"{one.name} is declared twice")
            self._types[one.name] = one

    def __iter__(self) -> Iterator[EventType]:
        return iter(self._types.values())

    def schema(self, name: str, version: int) -> dict[str, Any]:
        """The JSON Schema of what a version says.

        Raises:
            EventTypeError: EVENT_TYPE_UNKNOWN.
        """
        return self._model(name, version).model_json_schema(by_alias=True)

    def validate(self, name: str, version: int, payload: Mapping[str, Any]) -> Document:
        """What an event said, in the words of its own version.

        Raises:
            EventTypeError: EVENT_TYPE_UNKNOWN or EVENT_PAYLOAD_INVALID.
        """
        try:
            return self._model(name, version).model_validate(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise EventTypeError("EVENT_PAYLOAD_INVALID", f"{name} {version}: {place}: {first['msg']}") from None

    def newest(self, name: str, version: int, payload: Mapping[str, Any]) -> Document:
        """What an event said, in the newest version's words.

        Raises:
            EventTypeError: EVENT_TYPE_UNKNOWN or EVENT_PAYLOAD_INVALID.
        """
        self.validate(name, version, payload)
        said = dict(payload)
        for upcast in self._types[name].upcasters[version - 1 :]:
            said = upcast(said)
        return self.validate(name, len(self._types[name].models), said)

    def _model(self, name: str, version: int) -> type[Document]:
        known = self._types.get(name)
        if known is None:
            raise EventTypeError("EVENT_TYPE_UNKNOWN", f"no type {name}")
        if not 1 <= version <= len(known.models):
            raise EventTypeError("EVENT_TYPE_UNKNOWN", f"{name} has versions 1 to {len(known.models)}, not {version}")
        return known.models[version - 1]
