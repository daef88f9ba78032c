"""Find the AI tools that a commit message names as co-authors."""

import re
from typing import NamedTuple


class Trailer(NamedTuple):
    """How an AI tool is named after ``Co-authored-by:``, as a regular expression, with examples."""

    tool: str
    pattern: str
    found: tuple[str, ...]
    not_found: tuple[str, ...] = ()


#: The tools in the order in which they are listed.
TRAILERS = (
    Trailer(
        "claude",
        r"claude(?: (?:opus|sonnet|haiku))?(?: v?[\d.]+)? ?<|[^<\n]*<[^<>\n]*@anthropic\.com>",
        (
            "Claude <a@b.c>",
            "Claude Opus <a@b.c>",
            "Claude Sonnet 4.5 <a@b.c>",
            "Claude Haiku 4 <a@b.c>",
            "Claude 4 <a@b.c>",
            "Claude Code <noreply@anthropic.com>",
            "Claude Opus 4.6 (1M context) <noreply@anthropic.com>",
            "Somebody <somebody@anthropic.com>",
        ),
        ("Claude Code <a@b.c>", "Claude Monet <a@b.c>"),
    ),
    Trailer(
        "copilot",
        r"(?:github )?copilot ?<|[^<\n]*<copilot@github\.com>",
        ("GitHub Copilot <a@b.c>", "Copilot <a@b.c>", "Somebody <copilot@github.com>"),
        ("copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>",),
    ),
    Trailer(
        "cursor",
        r"cursor ?<|[^<\n]*<[^<>\n]*@cursor\.(?:sh|ai)>",
        ("Cursor <a@b.c>", "Somebody <a@cursor.sh>", "Somebody <a@cursor.ai>"),
        ("Cursor Agent <cursoragent@cursor.com>",),
    ),
    Trailer(
        "cody",
        r"cody ?<|[^<\n]*<[^<>\n]*@sourcegraph\.com>",
        ("Cody <a@b.c>", "Somebody <a@sourcegraph.com>"),
    ),
    Trailer("windsurf", r"windsurf ?<", ("Windsurf <a@b.c>",)),
    Trailer("aider", r"aider ?<|[^<\n]*<aider@", ("aider <a@b.c>", "aider (gpt-4o) <aider@aider.chat>")),
    Trailer(
        "devin",
        r"devin ?<|[^<\n]*<[^<>\n]*@devin\.ai>",
        ("Devin <a@b.c>", "Somebody <a@devin.ai>"),
        ("Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>",),
    ),
    Trailer("autofix", r"autofix-ci\[bot\] ?<", ("autofix-ci[bot] <a@b.c>",)),
)

_KEY = "co-authored-by:"
_TRAILER = re.compile(rf"{_KEY}[ \t]*([^\n]*)", re.IGNORECASE)
_PATTERNS = [(rule.tool, re.compile(rule.pattern, re.IGNORECASE)) for rule in TRAILERS]


def co_author_tools(message: str) -> list[str]:
    """Return the AI tools among the co-authors of a commit, in the order of ``TRAILERS``."""
    if _KEY not in message.lower():
        return []
    co_authors = _TRAILER.findall(message)
    return [tool for tool, pattern in _PATTERNS if any(map(pattern.match, co_authors))]
