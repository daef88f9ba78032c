"""The format of a pull request's summary, which the application validates with a JSON schema."""

from collections.abc import Callable, Mapping
from typing import Any

#: Maximum length of a summary's title and of its description.
MAX_TITLE, MAX_DESCRIPTION = 100, 500


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number_up_to_one(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_text_up_to(length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and 1 <= len(value) <= length


def _is_one_of(*values: str | None) -> Callable[[Any], bool]:
    return lambda value: (value is None or isinstance(value, str)) and value in values


_CATEGORIES = frozenset({"backend", "frontend", "devops", "mobile", "data"})
_LEVEL = _is_one_of("low", "medium", "high")

#: Part of a summary -> key -> whether a value is valid. No other keys are allowed.
FORMAT: dict[str, dict[str, Callable[[Any], bool]]] = {
    "ai": {
        "is_assisted": lambda value: isinstance(value, bool),
        "tools": _is_list_of_texts,
        "usage_type": _is_one_of("authored", "assisted", "reviewed", "brainstorm", None),
        "confidence": _is_number_up_to_one,
    },
    "tech": {
        "languages": _is_list_of_texts,
        "frameworks": _is_list_of_texts,
        "categories": lambda value: _is_list_of_texts(value) and _CATEGORIES.issuperset(value),
    },
    "summary": {
        "title": _is_text_up_to(MAX_TITLE),
        "description": _is_text_up_to(MAX_DESCRIPTION),
        "type": _is_one_of("feature", "bugfix", "refactor", "docs", "test", "chore", "ci"),
    },
    "health": {
        "review_friction": _LEVEL,
        "scope": _is_one_of("small", "medium", "large", "xlarge"),
        "risk_level": _LEVEL,
        "insights": _is_list_of_texts,
    },
}

#: The only key that may be missing.
OPTIONAL = {("ai", "usage_type")}


def is_valid_summary(summary: Any) -> bool:
    """Return whether the application would accept a summary."""
    return (
        isinstance(summary, Mapping)
        and summary.keys() == FORMAT.keys()
        and all(_is_valid_part(name, summary[name]) for name in FORMAT)
    )


def _is_valid_part(name: str, part: Any) -> bool:
    if not isinstance(part, Mapping) or not part.keys() <= FORMAT[name].keys():
        return False
    return all(
        is_valid(part[key]) if key in part else (name, key) in OPTIONAL
        for key, is_valid in FORMAT[name].items()
    )
