"""The words of the generated source, from ``words.toml``."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tformance_seed.catalog.calibration import TOOL_COUNTS, TOOL_COUNTS_BY_MONTH

#: The file with the words.
WORDS_FILE = Path(__file__).with_name("words.toml")


@dataclass(frozen=True)
class Tool:
    """An AI tool and the traces that it leaves.

    Parameters:
      monthly_counts: pull requests in which it was found, January to December.
      mention: what it writes into a body.
      trailer: what it writes below a commit message.
      file: what configures it.
    """

    name: bytes
    monthly_counts: tuple[float, ...]
    mention: bytes
    trailer: bytes
    file: str


@functools.cache
def load_words() -> dict[str, Any]:
    """Return everything in ``words.toml``."""
    return tomllib.loads(WORDS_FILE.read_text("utf-8"))


def vocabulary(table: str, industry: str) -> tuple[list[str], list[str]]:
    """Return words of ``areas`` or ``nouns``: those of an industry, and the others, which all share."""
    own = load_words()[table].get(industry, "").split()
    return own, [word for word in load_words()[table]["common"].split() if word not in own]


def template(text: str) -> bytes:
    """Turn a text with names in braces into a template for the ``%`` operator of bytes with a mapping."""
    return text.replace("{", "%(").replace("}", ")s").encode()


@functools.cache
def phrases(table: str, name: str) -> tuple[bytes, ...]:
    """Return the phrases or templates of an entry, which are separated by bars or newlines."""
    lines = load_words()[table][name].strip().splitlines()
    return tuple(template(phrase) for line in lines for phrase in line.split("|"))


@functools.cache
def code_tools() -> tuple[Tool, ...]:
    """Return the AI tools that write code."""
    return _tools("code_tools")


@functools.cache
def ai_tools() -> tuple[Tool, ...]:
    """Return all AI tools: those that write code, then those that review."""
    return code_tools() + _tools("review_tools")


def _tools(table: str) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            name=name.encode(),
            monthly_counts=TOOL_COUNTS_BY_MONTH.get(name, (TOOL_COUNTS[name] / 12,) * 12),
            mention=entry["mention"].encode(),
            trailer=entry.get("trailer", "").encode(),
            file=entry.get("file", ""),
        )
        for name, entry in load_words()[table].items()
    )
