"""Make JSON Schemas of the objects that commands print, and lists of their fields, from the types."""

import datetime
import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from tformance_seed.cli.objects import exports, inspections, organisations, runs
from tformance_seed.cli.objects.shared import VERSION, Envelope

#: The dialect in which the schemas are written.
DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: Where the schemas are published.
HOME = "https://github.com/tformance/tformance_seed/blob/main/docs/reference/schemas"

#: Command -> what its object has beside the envelope. Where there are several, it prints one of them.
RESULTS: dict[str, tuple[type, ...]] = {
    "seed": (runs.Seeded, runs.DryRun),
    "worker": (runs.Workers,),
    "status": (runs.Status,),
    "runs": (runs.Runs,),
    "retry": (runs.Seeded,),
    "cancel": (runs.Cancelled,),
    "orgs": (organisations.Catalogue,),
    "preview": (organisations.Week,),
    "init": (organisations.Created,),
    "weekly": (organisations.Weekly,),
    "verify": (organisations.Verified,),
    "report": (inspections.Reported,),
    "export": (exports.Exported,),
    "clear": (organisations.Cleared,),
    "doctor": (inspections.Examined,),
    "serve": (inspections.Served,),
}

#: Type -> how JSON writes it.
PRIMITIVES: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
    None: {"type": "null"},
}


def schema(command: str) -> dict[str, Any]:
    """Return the JSON Schema of what a command prints with ``--json``, however it ends.

    Parameters:
      command: a key of ``RESULTS``.
    """
    definitions: dict[str, Any] = {}
    fixed: dict[str, dict[str, Any]] = {"version": {"const": VERSION}, "command": {"const": command}}
    envelope = _properties(Envelope, definitions)
    for name, constant in fixed.items():
        envelope[name] = {"description": envelope[name]["description"], **constant}
    failed = {
        **envelope,
        "command": {"description": envelope["command"]["description"], "enum": [command, None]},
        "error": {**envelope["error"], "anyOf": envelope["error"]["anyOf"][:1]},
    }
    alternatives = [
        _object(envelope | _properties(result, definitions), result.__doc__ or "")
        for result in RESULTS[command]
    ]
    alternatives.append(_object(failed, "Why there is nothing else to print."))
    return {
        "$schema": DIALECT,
        "$id": f"{HOME}/{command}.json",
        "title": f"tformance-seed {command} --json",
        "oneOf": alternatives,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text(command: str) -> str:
    """Return the JSON Schema of what a command prints, as it is published."""
    return json.dumps(schema(command), indent=2)


def fields(result: type) -> Iterator[tuple[str, str]]:
    """Yield the path and the meaning of every field of an object, such as ``organisations[].team``."""
    for name, hint in get_type_hints(result, include_extras=True).items():
        yield name, _meaning(hint)
        inner, suffix = _inner(hint)
        if is_typeddict(inner):
            yield from ((f"{name}{suffix}.{path}", meaning) for path, meaning in fields(inner))


def _object(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _properties(result: type, definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"description": _meaning(hint), **_schema(hint, definitions)}
        for name, hint in get_type_hints(result, include_extras=True).items()
    }


def _meaning(hint: Any) -> str:
    return str(get_args(hint)[1])


def _inner(hint: Any) -> tuple[Any, str]:
    """Return the type of a list's items, or of what is not null, and what paths have after the name."""
    (hint, *_), suffix = get_args(hint), ""
    if get_origin(hint) in (types.UnionType, Union):
        hint = get_args(hint)[0]
    if get_origin(hint) is list:
        (hint,), suffix = get_args(hint), "[]"
    return hint, suffix


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of objects are added to the definitions."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _schema(arguments[0], definitions)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin in (types.UnionType, Union):
        return {"anyOf": [_schema(argument, definitions) for argument in arguments]}
    if is_typeddict(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # before its fields, which keeps the order of first use out of it
            definitions[hint.__name__] = _object(_properties(hint, definitions), hint.__doc__ or "")
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return PRIMITIVES[None if hint is type(None) else hint]
