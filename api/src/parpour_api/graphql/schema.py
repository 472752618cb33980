"""The schema, made from the typed classes, and its text."""

from __future__ import annotations

import strawberry
from graphql import GraphQLSchema
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from parpour_api.graphql.banking.mutations import BankingMutation
from parpour_api.graphql.banking.queries import BankingQuery
from parpour_api.graphql.banking.restoring import RestoreMutation
from parpour_api.graphql.mutations import BooksMutation
from parpour_api.graphql.queries import BooksQuery
from parpour_api.graphql.spending.changes import ChangeMutation
from parpour_api.graphql.spending.containing import ContainmentMutation
from parpour_api.graphql.spending.mutations import SpendMutation
from parpour_api.graphql.spending.queries import SpendingQuery
from parpour_api.graphql.subscriptions import Subscription


@strawberry.type(description="What can be asked. Every answer is of one moment.")
class Query(
    BooksQuery,
    SpendingQuery,
    BankingQuery,
):
    """The root of queries: the fields of every part."""


@strawberry.type(description="What can be done. Mutations of one request are carried out one after the other.")
class Mutation(
    BooksMutation,
    SpendMutation,
    ChangeMutation,
    ContainmentMutation,
    BankingMutation,
    RestoreMutation,
):
    """The root of mutations: the fields of every part."""


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
