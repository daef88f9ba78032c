"""Signatures that AI tools leave in commits, whether or not the application knows them.

The application finds fewer (``mentions``, ``trailers``), and its columns say what it finds. What is found
here says who is no person, and in which pull requests an AI tool certainly took part.
"""

import functools
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

FILE = Path(__file__).with_name("signatures.toml")

#: ``identity``: the whole of ``name <address>``, of an author or a co-author, which is then a program.
#: ``mark``: the same, but of a person who worked with the tool.
#: ``trailer``: the beginning of the value of a trailer that says what assisted the author.
#: ``line``: the beginning of a line in a message.
Kind = Literal["identity", "mark", "trailer", "line"]

#: The keys of trailers that say what assisted the author.
ASSISTED_BY = (
    r"(?:(?:assisted|generated|written|authored|created|co-developed|suggested)-by|ai-assisted"
    r"|(?:made|generated)-with)"
)


class Signature(NamedTuple):
    """A signature of an AI tool.

    Parameters:
      pattern: a regular expression; case is ignored.
      example: as it was found.
      source: where the example is from: a commit of a public repository, or the tool's default.
      first_seen: the year, or the month, in which it was first seen there.
    """

    tool: str
    kind: Kind
    pattern: str
    example: str
    source: str
    first_seen: str

    @property
    def expression(self) -> str:
        """The pattern of all that is looked for: a person, or the beginning of a line."""
        key = rf"{ASSISTED_BY}:[ \t]*" if self.kind == "trailer" else ""
        return f"{key}(?:{self.pattern})"


#: Whoever is named by one of these keys took part in a commit.
_CO_AUTHOR = re.compile(
    r"^(?:co-authored|co-developed|assisted|suggested)-by:[ \t]*([^\n]{1,300})$", re.IGNORECASE | re.MULTILINE
)


@functools.cache
def load_signatures() -> tuple[Signature, ...]:
    """Return every signature, in the order of the file."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["signature"]
    return tuple(Signature(**row) for row in rows)


@functools.lru_cache(maxsize=4096)
def is_ai_tool(name: str, email: str) -> bool:
    """Return whether an author or a co-author is an AI tool."""
    return _identities().fullmatch(f"{name.strip()} <{email.strip()}>") is not None


def signing_tools(name: str, email: str, message: str) -> list[str]:
    """Return the AI tools that signed a commit, in the order of the signatures.

    Parameters:
      name, email: the author's.
    """
    people = [f"{name.strip()} <{email.strip()}>", *_CO_AUTHOR.findall(message)]
    tools = [tool for person in people for tool in _tools_of(person)]
    if _any_line().search(message):
        tools += [tool for tool, pattern in _lines() if pattern.search(message)]
    order = [each.tool for each in load_signatures()]
    return sorted(set(tools), key=order.index)


@functools.lru_cache(maxsize=4096)
def _tools_of(person: str) -> tuple[str, ...]:
    """Return the tools whose identity or mark is ``name <address>``."""
    return tuple(tool for tool, pattern in _people() if pattern.fullmatch(person))


@functools.cache
def _identities() -> re.Pattern[str]:
    return _any(each.expression for each in load_signatures() if each.kind == "identity")


@functools.cache
def _any_line() -> re.Pattern[str]:
    return _any(
        (each.expression for each in load_signatures() if each.kind in ("trailer", "line")), start="^"
    )


@functools.cache
def _people() -> list[tuple[str, re.Pattern[str]]]:
    people = [each for each in load_signatures() if each.kind in ("identity", "mark")]
    return [(each.tool, _any([each.expression])) for each in people]


@functools.cache
def _lines() -> list[tuple[str, re.Pattern[str]]]:
    lines = [each for each in load_signatures() if each.kind in ("trailer", "line")]
    return [(each.tool, _any([each.expression], start="^")) for each in lines]


def _any(expressions: Iterable[str], start: str = "") -> re.Pattern[str]:
    """Return one pattern for several; a common start is looked for once, not once for each."""
    return re.compile(f"{start}(?:{'|'.join(expressions)})", re.IGNORECASE | re.MULTILINE)
