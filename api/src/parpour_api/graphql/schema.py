"""The schema, made from the typed classes, and its text."""

from __future__ import annotations

import strawberry
from graphql import GraphQLSchema
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from parpour_api.graphql.mutations import Mutation
from parpour_api.graphql.queries import Query
from parpour_api.graphql.subscriptions import Subscription

SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(disable_field_suggestions=True),
)


def executable() -> GraphQLSchema:
    """The schema as graphql-core carries it out.

    Parsing, validation and execution are graphql-core's, called by `documents` and `transport`, so that what was
    prepared once is not prepared again; Strawberry offers no public way to it.
    """
    return SCHEMA._schema


def sdl() -> str:
    """The schema as text, which is kept in api/schema.graphql."""
    return print_schema(SCHEMA) + "\n"
