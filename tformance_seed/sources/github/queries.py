"""The GraphQL queries that are sent to GitHub, composed from one table of what is read of a pull request."""

from collections.abc import Sequence
from dataclasses import dataclass

#: How often at most a page of a nested list is as long as GitHub allows.
MAX_NESTED = 100

#: The maximum number of repositories in a page of an owner's, and of named ones in a query.
REPOSITORIES_PER_QUERY = 100


@dataclass(frozen=True)
class Nested:
    """A list below a node, which is read to its end however long it is.

    Parameters:
      node: the type that has it.
      fields: the fields that lead from the node to the list; the last one is the list.
      items: what is read of each item.
    """

    node: str
    fields: tuple[str, ...]
    items: str

    def selection(self, first: str, after: str | None = None) -> str:
        """Return the GraphQL that reads a page of the list.

        Parameters:
          first, after: the arguments, variables for instance; None: from the beginning.
        """
        arguments = f"first: {first}" + (f", after: {after}" if after else "")
        *outer, last = self.fields
        page = f"{last}({arguments}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {self.items} }} }}"
        for field in reversed(outer):
            page = f"{field} {{ {page} }}"
        return page


_COMMENT = "id fullDatabaseId body createdAt updatedAt author { ...actor }"

LINE_COMMENTS = Nested(
    "PullRequestReview",
    ("comments",),
    f"{_COMMENT} path line originalLine replyTo {{ id fullDatabaseId }}",
)

#: Name -> what is read of a pull request, or of a commit or review below it, page by page.
NESTED = {
    "labels": Nested("PullRequest", ("labels",), "name"),
    "assignees": Nested("PullRequest", ("assignees",), "login"),
    "linked_issues": Nested(
        "PullRequest", ("closingIssuesReferences",), "number repository { nameWithOwner }"
    ),
    "comments": Nested("PullRequest", ("comments",), _COMMENT),
    "reviews": Nested(
        "PullRequest",
        ("reviews",),
        "id fullDatabaseId state body submittedAt author { ...actor } " + LINE_COMMENTS.selection("$nested"),
    ),
    "line_comments": LINE_COMMENTS,
    "commits": Nested(
        "PullRequest",
        ("commits",),
        "commit { oid message authoredDate committedDate additions deletions"
        " author { name email user { login databaseId name } } }",
    ),
    "files": Nested("PullRequest", ("files",), "path additions deletions changeType"),
    "check_runs": Nested(
        "Commit",
        ("statusCheckRollup", "contexts"),
        "__typename ... on CheckRun { id databaseId name status conclusion startedAt completedAt }",
    ),
    "deployments": Nested(
        "Commit",
        ("deployments",),
        "id databaseId environment state createdAt commitOid creator { ...actor }",
    ),
}

_ACTOR = """
fragment actor on Actor {
  __typename login
  ... on User { databaseId name }
  ... on Bot { databaseId }
  ... on Mannequin { databaseId }
}
"""

_RATE = "rateLimit { cost remaining resetAt }"

_REPOSITORY = """
fragment repository on Repository {
  nameWithOwner
  pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { updatedAt } }
}
"""


def _of_pull_request() -> str:
    """Return what is read of a pull request: each of its lists from the beginning."""
    own = [nested.selection("$nested") for nested in NESTED.values() if nested.node == "PullRequest"]
    checks, deployments = (NESTED[name].selection("$nested") for name in ("check_runs", "deployments"))
    return "\n  ".join(
        [
            "id number title body isDraft createdAt updatedAt mergedAt closedAt headRefName",
            "author { ...actor } milestone { title }",
            *own,
            f"head: commits(last: 1) {{ nodes {{ commit {{ id {checks} }} }} }}",
            f"mergeCommit {{ id {deployments} }}",
        ]
    )


#: A page of a repository's pull requests, the ones that changed last first.
PULL_REQUESTS = f"""
query PullRequests($owner: String!, $name: String!, $first: Int!, $after: String, $nested: Int!) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    pullRequests(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...pullRequest }}
    }}
  }}
  {_RATE}
}}
fragment pullRequest on PullRequest {{
  {_of_pull_request()}
}}
{_ACTOR}"""

#: A page of an owner's repositories, without forks.
REPOSITORIES = f"""
query Repositories($login: String!, $after: String) {{
  repositoryOwner(login: $login) {{
    login
    ... on Organization {{ name }}
    ... on User {{ name }}
    repositories(
      first: {REPOSITORIES_PER_QUERY}, after: $after, isFork: false, ownerAffiliations: [OWNER],
      orderBy: {{field: NAME, direction: ASC}}
    ) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...repository }}
    }}
  }}
  {_RATE}
}}
{_REPOSITORY}"""


def named_repositories(count: int) -> str:
    """Return the query for ``count`` repositories, ``$owner0/$name0`` and so on, as ``r0`` and so on."""
    variables = ", ".join(f"$owner{index}: String!, $name{index}: String!" for index in range(count))
    fields = "\n  ".join(
        f"r{index}: repository(owner: $owner{index}, name: $name{index}) {{ ...repository }}"
        for index in range(count)
    )
    return f"query Named({variables}) {{\n  {fields}\n  {_RATE}\n}}\n{_REPOSITORY}"


def next_pages(names: Sequence[str]) -> str:
    """Return the query for the next pages of lists, of the nodes ``$id0`` after ``$after0`` and so on.

    Parameters:
      names: names in ``NESTED``, one for each node.
    """
    variables = "".join(f", $id{index}: ID!, $after{index}: String" for index in range(len(names)))
    fields = "\n  ".join(
        f"n{index}: node(id: $id{index}) {{ ... on {NESTED[name].node} "
        f"{{ {NESTED[name].selection('$nested', f'$after{index}')} }} }}"
        for index, name in enumerate(names)
    )
    actor = _ACTOR if any("...actor" in NESTED[name].items for name in names) else ""
    return f"query NextPages($nested: Int!{variables}) {{\n  {fields}\n  {_RATE}\n}}\n{actor}"
