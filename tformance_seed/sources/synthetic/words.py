"""The words of the generated source, from ``words.toml``."""

import functools
import importlib.resources
import tomllib
from dataclasses import dataclass
from typing import Any

from tformance_seed.catalog.calibration import TOOL_COUNTS, TOOL_COUNTS_BY_MONTH


@dataclass(frozen=True)
class Tool:
    """An AI tool and what it leaves behind.

    Parameters:
      months: in how many pull requests of each month it was found.
      mention: what it writes into a body.
      trailer: what it writes below a commit message.
      file: what configures it.
    """

    name: bytes
    months: tuple[float, ...]
    mention: bytes
    trailer: bytes
    file: str


@functools.cache
def words() -> dict[str, Any]:
    """Everything in ``words.toml``."""
    file = importlib.resources.files("tformance_seed.sources").joinpath("words.toml")
    return tomllib.loads(file.read_text("utf-8"))


def vocabulary(table: str, industry: str) -> tuple[list[str], list[str]]:
    """The words of ``areas`` or ``nouns``: those of an industry, and the others that everyone uses."""
    own = words()[table].get(industry, "").split()
    return own, [word for word in words()[table]["common"].split() if word not in own]


def template(text: str) -> bytes:
    """A text with names in braces, as what takes a mapping by the ``%`` operator of bytes."""
    return text.replace("{", "%(").replace("}", ")s").encode()


@functools.cache
def phrases(table: str, name: str) -> tuple[bytes, ...]:
    """Phrases or templates."""
    lines = words()[table][name].strip().splitlines()
    return tuple(template(phrase) for line in lines for phrase in line.split("|"))


@functools.cache
def tools(table: str) -> tuple[Tool, ...]:
    """The tools of ``code_tools`` or ``review_tools``."""
    return tuple(
        Tool(
            name=name.encode(),
            months=TOOL_COUNTS_BY_MONTH.get(name, (TOOL_COUNTS[name] / 12,) * 12),
            mention=entry["mention"].encode(),
            trailer=entry.get("trailer", "").encode(),
            file=entry.get("file", ""),
        )
        for name, entry in words()[table].items()
    )
