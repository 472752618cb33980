"""GraphQL documents before they are carried out: parsed, bounded, validated, and priced.

Every limit is looked at as early as it can be, so that a document made to be expensive is refused before it is.
Documents that passed are kept, because clients send the same few again and again.

The price is static: an object costs a point, a list of objects as many as its page may have, and some fields more,
because the database does more for them. Scalars are free.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.specified_rules import recommended_rules

from parpour_api.errors import ApiError
from parpour_api.graphql.costs import INTROSPECTION_POINTS, LIST_ITEMS, MUTATION_POINTS, PAGE, WEIGHTS

PAIRS_MAX = 20_000
"""Pairs of fields of one response name in a document: validation compares each pair."""

KEPT_MAX = 256
KEPT_CHARACTERS_MAX = 256 * 1024
"""Documents that are kept, and their characters together."""

COMMENTS_MAX = 200

MESSAGE_MAX = 300
"""Characters of what a parser says: it quotes the document."""

PARSER_LIMITS = {"contains more than": "API_QUERY_TOO_LONG", "nested too deeply": "API_QUERY_TOO_DEEP"}
"""What the parser says of documents beyond its limits."""

ERRORS_MAX = 5
"""Errors of one document that are told."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What one document may have."""

    tokens: int
    depth: int
    aliases: int
    page: int
    introspection: bool


class DocumentInvalid(Exception):
    """A document that does not fit the schema, with the errors of validation."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__("; ".join(error.message for error in errors))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document."""

    kind: str
    """query, mutation or subscription."""
    fields: tuple[str, ...]
    """Its root fields, each as Query.me."""
    node: OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be carried out."""

    node: DocumentNode
    operations: Mapping[str, Operation]
    fragments: Mapping[str, FragmentDefinitionNode]
    constant_costs: dict[str, int] = field(default_factory=dict)
    """Costs of operations without variables, by name."""

    def operation(self, name: str | None) -> Operation:
        """The operation of a name, or the only one.

        Raises:
            ApiError: API_OPERATION_UNKNOWN.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        try:
            return self.operations[name or ""]
        except KeyError:
            raise ApiError("API_OPERATION_UNKNOWN", "name one of the document's operations") from None


class Documents:
    """Prepares documents for one schema, and keeps those that passed."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._rules = [*specified_rules, *recommended_rules]
        if not limits.introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._characters = 0

    def prepare(self, text: str) -> Prepared:
        """The document of a text.

        Raises:
            ApiError: API_QUERY_MALFORMED, API_QUERY_TOO_LONG, API_QUERY_TOO_DEEP, API_QUERY_TOO_MANY_ALIASES or
                API_QUERY_REPETITIVE.
            DocumentInvalid: if it does not fit the schema.
        """
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept
        prepared = self._prepare(text)
        self._kept[text] = prepared
        self._characters += len(text)
        while len(self._kept) > KEPT_MAX or self._characters > KEPT_CHARACTERS_MAX:
            gone, _ = self._kept.popitem(last=False)
            self._characters -= len(gone)
        return prepared

    def _prepare(self, text: str) -> Prepared:
        try:
            node = parse(text, max_lexical_tokens=self._limits.tokens, max_comments=COMMENTS_MAX)
        except GraphQLError as error:
            code = next(
                (code for words, code in PARSER_LIMITS.items() if words in error.message), "API_QUERY_MALFORMED"
            )
            raise ApiError(code, error.message[:MESSAGE_MAX]) from None
        check_shape(node, self._limits)
        errors = validate(self._schema, node, self._rules, max_errors=ERRORS_MAX, hide_suggestions=True)
        if errors:
            raise DocumentInvalid(errors)
        fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        operations = {}
        for one in node.definitions:
            if isinstance(one, OperationDefinitionNode):
                if depth_of(one.selection_set, fragments) > self._limits.depth:
                    raise ApiError("API_QUERY_TOO_DEEP", f"a document has up to {self._limits.depth} levels")
                kind = one.operation.value
                names = root_fields(one.selection_set, fragments)
                root = kind.capitalize()
                operations[one.name.value if one.name else ""] = Operation(
                    kind, tuple(f"{root}.{name}" for name in names), one
                )
        return Prepared(node, operations, fragments)

    def cost(self, prepared: Prepared, operation: Operation, variables: Mapping[str, Any]) -> int:
        """The points of an operation with its variables; at least 1."""
        name = operation.node.name.value if operation.node.name else ""
        known = prepared.constant_costs.get(name)
        if known is not None:
            return known
        definitions = operation.node.variable_definitions or ()
        given: dict[str, Any] = {}
        for one in definitions:
            default = one.default_value
            given[one.variable.name.value] = int(default.value) if isinstance(default, IntValueNode) else None
        given.update(variables)
        root = self._schema.get_root_type(operation.node.operation)
        if root is None:
            raise AssertionError("validation has found the operation's root type")
        costing = _Costing(self._schema, prepared.fragments, given, self._limits.page)
        cost = max(1, costing.selections(operation.node.selection_set, root, 1))
        if not definitions:
            prepared.constant_costs[name] = cost
        return cost


def check_shape(node: DocumentNode, limits: DocumentLimits) -> None:
    """Refuse a document by what stands in it, before fragments are followed.

    Raises:
        ApiError: API_QUERY_TOO_DEEP, API_QUERY_TOO_MANY_ALIASES or API_QUERY_REPETITIVE.
    """
    names: Counter[str] = Counter()
    aliases = 0
    stack: list[tuple[SelectionSetNode, int]] = [
        (one.selection_set, 1)
        for one in node.definitions
        if isinstance(one, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    deepest = 0
    introspecting = False
    while stack:
        selections, depth = stack.pop()
        deepest = max(deepest, depth)
        for one in selections.selections:
            if isinstance(one, FieldNode):
                aliases += one.alias is not None
                names[(one.alias or one.name).value] += 1
                introspecting = introspecting or one.name.value in ("__schema", "__type")
                if one.selection_set:
                    stack.append((one.selection_set, depth + 1))
            elif isinstance(one, InlineFragmentNode):
                stack.append((one.selection_set, depth))
    if aliases > limits.aliases:
        raise ApiError("API_QUERY_TOO_MANY_ALIASES", f"a document has up to {limits.aliases} aliases")
    if sum(count * (count - 1) // 2 for count in names.values()) > PAIRS_MAX:
        raise ApiError("API_QUERY_REPETITIVE")
    if deepest > limits.depth and not introspecting:
        raise ApiError("API_QUERY_TOO_DEEP", f"a document has up to {limits.depth} levels")


def depth_of(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """Levels of fields of a selection set, fragments followed; introspection, which has a limit of its own, is one."""
    known: dict[str, int] = {}

    def of(one: SelectionSetNode) -> int:
        return max((below(node) for node in one.selections), default=0)

    def below(node: Node) -> int:
        if isinstance(node, FieldNode):
            if node.selection_set is None or node.name.value.startswith("__"):
                return 1
            return 1 + of(node.selection_set)
        if isinstance(node, InlineFragmentNode):
            return of(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in known:
                known[name] = of(fragments[name].selection_set)
            return known[name]
        return 0

    return of(selections)


def root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    """Names of the fields at an operation's root, in order, fragments followed once each."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    stack: list[Node] = list(reversed(selections.selections))
    while stack:
        node = stack.pop()
        if isinstance(node, FieldNode):
            found[node.name.value] = None
        elif isinstance(node, InlineFragmentNode):
            stack += reversed(node.selection_set.selections)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            stack += reversed(fragments[node.name.value].selection_set.selections)
    return list(found)


class _Costing:
    """Prices one operation; each fragment is priced once for a type and a page."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        page_max: int,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._page_max = page_max
        self._known: dict[tuple[str, int], int] = {}

    def selections(self, selections: SelectionSetNode, parent: GraphQLNamedType, page: int) -> int:
        """Points of a selection set on a type, in a list of which `page` items are asked."""
        total = 0
        for one in selections.selections:
            if isinstance(one, FieldNode):
                total += self._field(one, parent, page)
            elif isinstance(one, InlineFragmentNode):
                named = one.type_condition.name.value if one.type_condition else parent.name
                total += self.selections(one.selection_set, self._schema.type_map[named], page)
            elif isinstance(one, FragmentSpreadNode):
                total += self._fragment(one.name.value, page)
        return total

    def _fragment(self, name: str, page: int) -> int:
        if (name, page) not in self._known:
            fragment = self._fragments[name]
            parent = self._schema.type_map[fragment.type_condition.name.value]
            self._known[name, page] = self.selections(fragment.selection_set, parent, page)
        return self._known[name, page]

    def _field(self, node: FieldNode, parent: GraphQLNamedType, page: int) -> int:
        name = node.name.value
        if name.startswith("__"):
            return 0 if name == "__typename" else INTROSPECTION_POINTS
        weight = WEIGHTS.get(f"{parent.name}.{name}", MUTATION_POINTS if parent.name == "Mutation" else 0)
        if node.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return weight
        kind = parent.fields[name].type
        named = get_named_type(kind)
        below = self.selections(node.selection_set, named, self._page(node))
        if not is_list_type(get_nullable_type(kind)):
            return weight + (0 if name == "pageInfo" else 1) + below
        items = page if parent.name.endswith("Connection") else LIST_ITEMS
        return weight + items * (1 + below)

    def _page(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value: Any = None
                if isinstance(argument.value, IntValueNode):
                    value = int(argument.value.value[:10])
                elif isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                if value is not None:
                    # What is no number of the page is refused later, and is priced as the largest until then.
                    return value if type(value) is int and 0 <= value <= self._page_max else self._page_max
        return min(PAGE, self._page_max)
