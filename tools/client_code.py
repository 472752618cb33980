"""Writes the typed client of the tenant API from its schema and from client/operations/*.graphql.

Strawberry's code generator collects the types of each operation; what is printed from them is here: pydantic models,
and one method an operation. An operation that no longer fits the schema fails, so a client cannot drift unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    print_ast,
    validate,
    visit,
)
from graphql import Visitor as GraphQLVisitor
from strawberry.codegen import CodegenFile, QueryCodegen, QueryCodegenPlugin
from strawberry.codegen.types import (
    GraphQLEnum,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOperation,
    GraphQLOptional,
    GraphQLScalar,
    GraphQLType,
    GraphQLUnion,
)

from parpour_api.graphql.schema import SCHEMA, executable, sdl

FOLDER = Path(__file__).resolve().parent.parent / "client" / "operations"
SCALARS = {
    "ID": "str",
    "String": "str",
    "Int": "int",
    "Boolean": "bool",
    "DateTime": "datetime",
    "Date": "date",
    "UUID": "UUID",
}
"""Python's types of the schema's scalars."""

TYPENAME = "__typename"

HEAD = '''"""The typed client of the tenant API. Generated from its schema and client/operations; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from parpour_client.model import Model
from parpour_client.transport import Transport
'''


class _Collector(QueryCodegenPlugin):
    """Keeps what the generator collects, and prints nothing."""

    def __init__(self, query: Path) -> None:
        super().__init__(query)
        self.types: list[GraphQLType] = []
        self.operation: GraphQLOperation | None = None

    def generate_code(self, types: list[GraphQLType], operation: GraphQLOperation) -> list[CodegenFile]:
        """Keep the types of one operation."""
        self.types, self.operation = types, operation
        return []


def snake(name: str) -> str:
    """A name of the schema as Python has it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


class _Client:
    """The module that is being written."""

    def __init__(self) -> None:
        self._schema = build_schema(sdl())
        self._models: dict[str, str] = {}
        self._constants: list[str] = []
        self._methods: list[str] = []

    def add(self, operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> None:
        """Write one operation with all its types.

        Raises:
            ValueError: if it does not fit the schema, has no name, or asks for more than one root field.
        """
        text = "\n".join(map(print_ast, [operation, *_used(operation, fragments).values()]))
        errors = validate(executable(), parse(text))
        (root,) = operation.selection_set.selections
        if errors or operation.name is None or not isinstance(root, FieldNode):
            raise ValueError(f"{operation.name and operation.name.value}: {errors}")
        name = operation.name.value
        collector = _Collector(FOLDER / "operations.graphql")
        QueryCodegen(SCHEMA, plugins=[collector]).run(text)
        pascal = root.name.value[0].upper() + root.name.value[1:]
        prefix = f"{name}Result{pascal}"
        answer: GraphQLType | None = None
        for one in collector.types:
            if isinstance(one, GraphQLObjectType) and one.name == f"{name}Result":
                answer = one.fields[0].type
            elif isinstance(one, GraphQLObjectType) and one.name == f"{name}Variables":
                continue
            elif isinstance(one, GraphQLObjectType | GraphQLEnum):
                self._model(one, prefix, name)
        if answer is None:
            raise ValueError(f"{name} answers nothing")
        self._method(operation, root, text, self._hint(answer, prefix, name))

    def _named(self, type_name: str, prefix: str, operation: str) -> str:
        if not type_name.startswith(prefix):
            return type_name
        rest = type_name.removeprefix(prefix)
        return f"{operation}{rest}" if rest else f"{operation}Answer"

    def _hint(self, one: GraphQLType, prefix: str, operation: str) -> str:
        if isinstance(one, GraphQLOptional):
            return f"{self._hint(one.of_type, prefix, operation)} | None"
        if isinstance(one, GraphQLList):
            return f"list[{self._hint(one.of_type, prefix, operation)}]"
        if isinstance(one, GraphQLUnion):
            return " | ".join(self._named(member.name, prefix, operation) for member in one.types)
        if isinstance(one, GraphQLScalar):
            return SCALARS[one.name]
        return self._named(one.name, prefix, operation)

    def _model(self, one: GraphQLObjectType | GraphQLEnum, prefix: str, operation: str) -> None:
        name = self._named(one.name, prefix, operation)
        described = self._schema.type_map.get(getattr(one, "graphql_typename", None) or one.name)
        doc = ((described.description if described else None) or "A part of an answer.").replace("\n", " ")
        if isinstance(one, GraphQLEnum):
            lines = [f"class {name}(StrEnum):", f'    """{doc}"""', ""]
            lines += [f'    {value} = "{value}"' for value in one.values]
        else:
            lines = [f"class {name}(Model):", f'    """{doc}"""', ""]
            lines += [self._field(field, one, prefix, operation) for field in one.fields]
        text = "\n".join(lines)
        if self._models.setdefault(name, text) != text:
            raise ValueError(f"two types are called {name}: name the fragments otherwise")

    def _field(self, field: GraphQLField, parent: GraphQLObjectType, prefix: str, operation: str) -> str:
        if field.name == TYPENAME:
            return f'    typename: Annotated[Literal["{parent.graphql_typename}"], Field(alias="{TYPENAME}")]'
        hint = self._hint(field.type, prefix, operation)
        default = " = None" if isinstance(field.type, GraphQLOptional) else ""
        return f"    {snake(field.name)}: {hint}{default}"

    def _method(self, operation: OperationDefinitionNode, root: FieldNode, text: str, hint: str) -> None:
        assert operation.name is not None
        name = snake(operation.name.value)
        constant = f"_{name.upper()}"
        required: list[str] = []
        optional: list[str] = []
        sent: list[str] = []
        for one in operation.variable_definitions or ():
            variable = one.variable.name.value
            kind = print_ast(one.type)
            needed = kind.endswith("!") and one.default_value is None
            python = self._variable(kind)
            (required if needed else optional).append(
                f"{snake(variable)}: {python}" if needed else f"{snake(variable)}: {python} | None = None"
            )
            sent.append(f'"{variable}": {snake(variable)}')
        parent = self._schema.query_type if operation.operation is OperationType.QUERY else self._schema.mutation_type
        assert parent is not None
        doc = (parent.fields[root.name.value].description or "").replace("\n", " ").strip()
        parameters = ", ".join(["self", *(["*"] if required or optional else []), *required, *optional])
        self._constants.append(
            f'{constant} = """{text}"""\n{constant}_ANSWER: TypeAdapter[{hint}] = TypeAdapter({hint})'
        )
        self._methods.append(
            f"    async def {name}({parameters}) -> {hint}:\n"
            f'        """{doc}"""\n'
            f"        variables: dict[str, object] = {{{', '.join(sent)}}}\n"
            f'        data = await self.execute({constant}, "{operation.name.value}", variables)\n'
            f'        return {constant}_ANSWER.validate_python(data["{root.name.value}"])'
        )

    def _variable(self, kind: str) -> str:
        bare = kind.rstrip("!")
        if bare.startswith("["):
            return f"list[{self._variable(bare[1:-1])}]"
        return SCALARS.get(bare, bare)

    def text(self) -> str:
        """The module."""
        client = 'class Client(Transport):\n    """Every operation of client/operations as a method."""\n\n'
        return "\n\n\n".join(
            [
                HEAD.rstrip(),
                *self._models.values(),
                "\n".join(self._constants),
                client + "\n\n".join(self._methods) + "\n",
            ]
        )


def _used(
    node: OperationDefinitionNode | FragmentDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> dict[str, FragmentDefinitionNode]:
    """The fragments that an operation spreads, whatever stands between."""
    found: dict[str, FragmentDefinitionNode] = {}
    waiting = list(_spread(node))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = fragments[name]
            waiting += _spread(fragments[name])
    return dict(sorted(found.items()))


def _spread(node: Any) -> Iterator[str]:
    names: list[str] = []

    class _Spreads(GraphQLVisitor):
        def enter_fragment_spread(self, one: FragmentSpreadNode, *_rest: object) -> None:
            names.append(one.name.value)

    visit(node, _Spreads())
    return iter(names)


def client_module() -> str:
    """client/src/parpour_client/generated.py."""
    documents: list[DocumentNode] = [parse(path.read_text()) for path in sorted(FOLDER.glob("*.graphql"))]
    definitions = [one for document in documents for one in document.definitions]
    fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}
    client = _Client()
    for one in definitions:
        if isinstance(one, OperationDefinitionNode):
            client.add(one, fragments)
    return client.text()
