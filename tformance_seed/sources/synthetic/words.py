"""The words of the synthetic source, from ``words.toml``, ``titles.toml`` and ``bodies.toml``."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tformance_seed.catalog.calibration import TOOL_COUNTS, TOOL_COUNTS_BY_MONTH
from tformance_seed.sampling.arrays import Booleans

#: The files with the words; each table is in one of them.
WORDS_FILES = [Path(__file__).with_name(name) for name in ("words.toml", "titles.toml", "bodies.toml")]


@dataclass(frozen=True)
class Tool:
    """An AI tool and the traces that it leaves in a repository.

    Parameters:
      monthly_counts: number of pull requests in which it was found, January to December.
      mentions: the texts of which one is added to a pull request's body, as templates.
      trailers: the texts of which one is added to a commit message; none for some tools.
      file: the path of its configuration file; empty for review tools.
    """

    name: bytes
    monthly_counts: tuple[float, ...]
    mentions: tuple[bytes, ...]
    trailers: tuple[bytes, ...]
    file: str


@functools.cache
def load_words() -> dict[str, Any]:
    """Return the contents of these files."""
    tables: dict[str, Any] = {}
    for file in WORDS_FILES:
        tables |= tomllib.loads(file.read_text("utf-8"))
    return tables


@functools.cache
def word_list(name: str) -> tuple[bytes, ...]:
    """Return the words in an entry of ``names``, each once."""
    return tuple(dict.fromkeys(load_words()["names"][name].encode().split()))


def template(text: str) -> bytes:
    """Convert a text with names in braces to a bytes template for the ``%`` operator with a mapping."""
    return text.replace("%", "%%").replace("{", "%(").replace("}", ")s").encode()


@functools.cache
def phrases(table: str, name: str) -> tuple[bytes, ...]:
    """Return the phrases of an entry, each once, separated by bars or newlines, as templates."""
    lines = load_words()[table][name].strip().splitlines()
    return tuple(dict.fromkeys(template(phrase.strip()) for line in lines for phrase in line.split("|")))


@functools.cache
def code_tools() -> tuple[Tool, ...]:
    """Return the AI tools that write code."""
    return _tools("code_tools")


@functools.cache
def ai_tools() -> tuple[Tool, ...]:
    """Return all AI tools: those that write code, then those that review."""
    return code_tools() + _tools("review_tools")


@functools.cache
def signing_tools() -> Booleans:
    """Return which AI tools sign commits; False at index -1."""
    return np.array([bool(tool.trailers) for tool in ai_tools()] + [False])


def _tools(table: str) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            name=name.encode(),
            monthly_counts=TOOL_COUNTS_BY_MONTH.get(name, (TOOL_COUNTS[name] / 12,) * 12),
            mentions=tuple(map(template, entry["mentions"])),
            trailers=tuple(trailer.encode() for trailer in entry.get("trailers", ())),
            file=entry.get("file", ""),
        )
        for name, entry in load_words()[table].items()
    )
