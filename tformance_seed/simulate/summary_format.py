"""The format of a pull request's summary, as the application validates it, and its version."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

#: Version of the application's summaries.
SUMMARY_VERSION = "9.0.0"

#: Maximum length of a summary's title and of its description, in characters.
MAX_TITLE, MAX_DESCRIPTION = 100, 500

Level = Literal["low", "medium", "high"]
Scope = Literal["small", "medium", "large", "xlarge"]
Category = Literal["backend", "frontend", "devops", "mobile", "data"]
ChangeType = Literal["feature", "bugfix", "refactor", "docs", "test", "chore", "ci"]
Usage = Literal["authored", "assisted", "reviewed", "brainstorm"]

#: A part of the format, in the words of JSON Schema that ``faults`` understands.
Schema = Mapping[str, Any]


def _object(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _text(max_length: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": max_length}


_NAMES = _list({"type": "string"})

#: The format as a JSON Schema; names of tools and technologies are in lower case.
SUMMARY_SCHEMA = _object(
    {
        "ai": _object(
            {
                "is_assisted": {"type": "boolean"},
                "tools": _NAMES,
                "usage_type": {"enum": [*get_args(Usage), None]},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            },
            optional=("usage_type",),
        ),
        "tech": _object(
            {
                "languages": _NAMES,
                "frameworks": _NAMES,
                "categories": _list({"enum": [*get_args(Category)]}),
            }
        ),
        "summary": _object(
            {
                "title": _text(MAX_TITLE),
                "description": _text(MAX_DESCRIPTION),
                "type": {"enum": [*get_args(ChangeType)]},
            }
        ),
        "health": _object(
            {
                "review_friction": {"enum": [*get_args(Level)]},
                "scope": {"enum": [*get_args(Scope)]},
                "risk_level": {"enum": [*get_args(Level)]},
                "insights": _NAMES,
            }
        ),
    }
)

#: Types of JSON Schema -> those of the values that ``json`` makes of them.
_TYPES = {"object": dict, "array": list, "string": str, "number": int | float, "boolean": bool}


def is_valid_summary(summary: Any) -> bool:
    """Return whether the application would accept a summary, given as JSON values."""
    return next(faults(summary), None) is None


def faults(value: Any, schema: Schema = SUMMARY_SCHEMA, place: str = "the object") -> Iterator[str]:
    """Yield in words what is wrong with a JSON value by a schema.

    Parameters:
      place: what the value is called.
    """
    if "enum" in schema:
        if value not in schema["enum"]:
            yield f"{place} is none of {', '.join(str(choice or 'null') for choice in schema['enum'])}"
    elif not isinstance(value, _TYPES[schema["type"]]) or (
        isinstance(value, bool) and schema["type"] == "number"  # which Python takes for an integer
    ):
        yield f"{place} is not of type {schema['type']}"
    elif isinstance(value, dict):
        properties = schema["properties"]
        yield from (f"{place} has no {name}" for name in schema["required"] if name not in value)
        for name, inner in value.items():
            if name in properties:
                yield from faults(inner, properties[name], name)
            else:
                yield f"{place} has a key that is not in the schema"
    elif isinstance(value, list):
        for item in value:
            yield from faults(item, schema["items"], f"an item of {place}")
    elif isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{place} has {len(value)} characters, not {schema['minLength']} to {schema['maxLength']}"
    elif "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        yield f"{place} is not from {schema['minimum']} to {schema['maximum']}"
