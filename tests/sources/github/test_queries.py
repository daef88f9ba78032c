"""Every query is one that GitHub's own schema allows, and our server knows nothing that GitHub does not."""

import graphql
import pytest

from tests.support import npm
from tests.support.github.server import SCHEMA
from tformance_seed.sources.github import queries
from tformance_seed.sources.github.pages import FIRST_NESTED, MAX_LISTS, MAX_SIZE

#: The largest number of nodes and of items in a page that GitHub allows.
MAX_NODES, MAX_PAGE = 500_000, 100

QUERIES = {
    "pull requests": queries.PULL_REQUESTS,
    "repositories": queries.REPOSITORIES,
    "named repositories": queries.named_repositories(3),
    "next pages": queries.next_pages(list(queries.NESTED)),
    **{f"next {name}": queries.next_pages([name]) for name in queries.NESTED},
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> graphql.GraphQLSchema:
    """GitHub's public schema, as the npm package that GitHub's own client is made with carries it."""
    folder = tmp_path_factory.mktemp("npm")
    text = (npm.install("@octokit/graphql-schema", folder) / "schema.graphql").read_text()
    return graphql.build_schema(text, assume_valid=True)  # it has a few faults of its own


@pytest.mark.npm
@pytest.mark.parametrize("name", QUERIES)
def test_github_allows_every_query(real: graphql.GraphQLSchema, name) -> None:
    assert graphql.validate(real, graphql.parse(QUERIES[name])) == []


@pytest.mark.npm
def test_no_query_asks_for_what_is_deprecated(real: graphql.GraphQLSchema) -> None:
    found = []
    for query in QUERIES.values():
        info = graphql.TypeInfo(real)

        class Visitor(graphql.Visitor):
            def enter_field(self, node, *_rest, info=info):
                definition = info.get_field_def()
                if definition.deprecation_reason:
                    found.append((node.name.value, definition.deprecation_reason))

        graphql.visit(graphql.parse(query), graphql.TypeInfoVisitor(info, Visitor()))
    assert found == []


@pytest.mark.npm
def test_our_server_has_nothing_that_github_has_not(real: graphql.GraphQLSchema) -> None:
    ours = graphql.build_schema(SCHEMA.read_text())
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        theirs = real.type_map[name]
        assert type(theirs) is type(kind), name
        if isinstance(kind, graphql.GraphQLEnumType):
            assert kind.values.keys() <= theirs.values.keys(), name
        for field_name, field in getattr(kind, "fields", {}).items():
            other = theirs.fields[field_name]
            assert str(other.type) == str(field.type), (name, field_name)
            for argument, definition in getattr(field, "args", {}).items():
                assert str(other.args[argument].type) == str(definition.type), (name, field_name, argument)


@pytest.mark.parametrize("name", QUERIES)
def test_our_server_allows_every_query(name) -> None:
    assert graphql.validate(graphql.build_schema(SCHEMA.read_text()), graphql.parse(QUERIES[name])) == []


def test_the_largest_query_stays_within_the_limit_of_nodes() -> None:
    def nodes(selection: graphql.SelectionSetNode, fragments, variables) -> int:
        """The nodes below a selection, as GitHub counts them: each list is as long as it may be."""
        total = 0
        for node in selection.selections:
            if isinstance(node, graphql.FragmentSpreadNode):
                total += nodes(fragments[node.name.value].selection_set, fragments, variables)
            elif node.selection_set is not None:
                below = nodes(node.selection_set, fragments, variables)
                arguments = {
                    argument.name.value: argument.value
                    for argument in (getattr(node, "arguments", None) or ())
                }
                limit = arguments.get("first") or arguments.get("last")
                if limit is None:
                    total += below
                    continue
                name = getattr(limit, "name", None)
                length = variables[name.value] if name else int(limit.value)
                assert length <= MAX_PAGE
                total += length * (1 + below)
        return total

    largest = [
        (queries.PULL_REQUESTS, {"first": MAX_SIZE, "nested": FIRST_NESTED}),
        (queries.REPOSITORIES, {}),
        (queries.named_repositories(queries.REPOSITORIES_PER_QUERY), {}),
        *((queries.next_pages([name] * MAX_LISTS), {"nested": MAX_PAGE}) for name in queries.NESTED),
    ]
    for query, variables in largest:
        operation, *others = graphql.parse(query).definitions
        fragments = {node.name.value: node for node in others}
        assert 0 < nodes(operation.selection_set, fragments, variables) < MAX_NODES
