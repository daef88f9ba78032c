"""The format of a pull request's summary, as the application validates it, and its version."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

#: Version of the application's summaries.
SUMMARY_VERSION = "9.0.0"

#: Maximum length of a summary's title and of its description, in characters.
MAX_TITLE, MAX_DESCRIPTION = 100, 500

Level = Literal["low", "medium", "high"]
Scope = Literal["small", "medium", "large", "xlarge"]
Category = Literal["backend", "frontend", "devops", "mobile", "data"]
ChangeType = Literal["feature", "bugfix", "refactor", "docs", "test", "chore", "ci"]
Usage = Literal["authored", "assisted", "reviewed", "brainstorm"]


class AI(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether and how AI took part; tools are in lower case."""

    is_assisted: bool
    tools: list[str]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    usage_type: Usage | None = None


class Tech(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The technologies of the change, in lower case."""

    languages: list[str]
    frameworks: list[str]
    categories: list[Category]


class Words(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The change in words."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
    description: Annotated[str, Meta(min_length=1, max_length=MAX_DESCRIPTION)]
    type: ChangeType


class Health(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How the change went, and what it may break."""

    review_friction: Level
    scope: Scope
    risk_level: Level
    insights: list[str]


class Summary(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A summary; the application knows no other keys."""

    ai: AI
    tech: Tech
    summary: Words
    health: Health


def is_valid_summary(summary: Any) -> bool:
    """Return whether the application would accept a summary, given as JSON values."""
    try:
        msgspec.convert(summary, Summary)
    except msgspec.ValidationError:
        return False
    return True
