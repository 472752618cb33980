"""The page of the tenant API: root fields with their roles, prices, settings, and the status of each code."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLObjectType

from parpour_api.access import FIELDS
from parpour_api.app import openapi
from parpour_api.errors import CATALOGUE
from parpour_api.graphql.costs import INTROSPECTION_POINTS, LIST_ITEMS, MUTATION_POINTS, PAGE, WEIGHTS
from parpour_api.graphql.schema import executable
from parpour_api.identity.principal import Role
from parpour_api.settings import CONFIG, PREFIX, Settings
from reference.markdown import cell, code, page, table

FIELDS_INTRO = "Whoever has one of the roles may use the field. Arguments and types are in `api/schema.graphql`."
COSTS_INTRO = (
    "An object costs a point and what stands in it, a connection as many times what stands in its items as `first` or "
    f"`last` says ({PAGE} if nothing is said), any other list {LIST_ITEMS} times. These cost more:"
)
SETTINGS_INTRO = (
    f"A setting is a key of the TOML file that `{CONFIG}` names, or an environment variable: its name in capitals "
    f"behind `{PREFIX}`. Variables come first; what must be given has no default."
)


def root_fields() -> Iterator[tuple[str, str, str]]:
    """Name, roles and description of each root field and HTTP operation."""
    schema = executable()
    summaries = {
        f"{method.upper()} {path}": operation["summary"]
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }
    for name, roles in FIELDS.items():
        root, _, field = name.partition(".")
        kind = schema.type_map.get(root)
        described = kind.fields.get(field) if isinstance(kind, GraphQLObjectType) else None
        shown = "everyone" if roles == frozenset(Role) else ", ".join(role for role in Role if role in roles)
        if not field.startswith("__"):
            words = described.description if described else summaries.get(name)
            yield code(name), shown, cell(words or "")


def settings_rows() -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of each setting."""
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = "" if field.is_required() else "none" if default in (None, ()) else str(default).lower()
        yield code(name), code(shown), cell(field.description or "")


def api_page() -> str:
    """docs/reference/api.md."""
    weights = [(code(name), str(points)) for name, points in WEIGHTS.items()]
    weights += [("any other mutation", str(MUTATION_POINTS)), ("`__schema`, `__type`", str(INTROSPECTION_POINTS))]
    statuses: dict[int, list[str]] = {}
    for name, meaning in CATALOGUE.items():
        statuses.setdefault(meaning.status, []).append(code(name))
    return page(
        "The tenant API",
        "## Fields\n\n" + FIELDS_INTRO + "\n\n" + table(("Field", "Roles", "What it is"), root_fields()),
        "## Prices\n\n" + COSTS_INTRO + "\n\n" + table(("Field", "Points beside"), weights),
        "## Settings\n\n" + SETTINGS_INTRO + "\n\n" + table(("Setting", "Default", "What it is"), settings_rows()),
        "## Status of each code\n\nWhat a code means is on the page of [error codes](error-codes.md).\n\n"
        + table(
            ("Status", "Codes"), ((str(status), ", ".join(sorted(names))) for status, names in sorted(statuses.items()))
        ),
        source="parpour_api",
    )
