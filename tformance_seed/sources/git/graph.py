"""The graph of a history's commits: which descend from which, and which were copied together."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from tformance_seed.errors import InputError
from tformance_seed.sources.git.log import read_branches
from tformance_seed.sources.git.numbers import Numbers
from tformance_seed.sources.git.process import Git, UnreadableError
from tformance_seed.sources.people import Identity


class Node(NamedTuple):
    """A commit as part of the graph: what is kept of every commit; times in seconds since 1970."""

    sha: str
    parents: list[str]
    committed: int
    authored: int
    author: Identity
    co_authors: list[Identity]


def descend_from(nodes: Sequence[Node], root: str) -> list[bool]:
    """Return for each commit whether the root commit is among its ancestors, or itself."""
    descendants = {root}
    related = [False] * len(nodes)
    for position in range(len(nodes) - 1, -1, -1):
        node = nodes[position]
        if node.sha == root or not descendants.isdisjoint(node.parents):
            descendants.add(node.sha)
            related[position] = True
    return related


def find_parts(
    git: Git, nodes: Sequence[Node], on_mainline: Collection[str], numbers: Numbers
) -> dict[str, str]:
    """Return the other commits of pull requests that were copied, as by a rebase -> the copy of the newest.

    They precede it in the order of the pull request. Whether one is a copy is seen by its author and date.
    """
    copies = {position: claim.copied for position, claim in numbers.landed.items() if claim.copied}
    if not copies:
        return {}
    try:
        branches = {commit.sha: commit for commit in read_branches(git, copies.values())}
    except (InputError, UnreadableError):  # of these branches only the newest commits were cloned
        return {}
    positions = {node.sha: position for position, node in enumerate(nodes)}
    parts: dict[str, str] = {}
    for position, head in copies.items():
        node, commit = nodes[position], branches.get(head)
        written = []
        while commit := branches.get(commit.parents[0]) if commit and commit.parents else None:
            written.append((commit.author, commit.authored))
        remaining = iter(written)
        while node.parents:
            before = positions[node.parents[0]]
            is_own = before not in numbers.landed and nodes[before].sha not in numbers.heads
            node, line = nodes[before], node.sha in on_mainline
            if not is_own or len(node.parents) > 1 or (node.sha in on_mainline) != line:
                break
            if (node.author, node.authored) not in remaining:
                break
            parts[node.sha] = nodes[position].sha
    return parts
