"""The classes in which PostgreSQL's drivers wrap JSON and bytes, without importing any driver."""

import functools
import json
from typing import Any


class Json:
    """Stands for the classes in which drivers wrap JSON that is sent as text."""


class Jsonb:
    """Stands for psycopg 3's class for jsonb, of whose text a column of json would get another form."""


class Binary:
    """Stands for bytes, and for the classes in which drivers wrap them."""


#: Classes of drivers that wrap values, by module and name.
WRAPPERS: dict[str, type] = {
    "psycopg2._json.Json": Json,
    "psycopg.types.json.Json": Json,
    "psycopg.types.json.Jsonb": Jsonb,
    "psycopg2.extensions.Binary": Binary,
    "builtins.bytes": Binary,
    "builtins.bytearray": Binary,
    "builtins.memoryview": Binary,
}


@functools.lru_cache(maxsize=256)
def wrapped_type(kind: type) -> type:
    """Return what stands for a wrapper's class, or for a class derived from it; other classes as they are."""
    names = (f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)
    return next((WRAPPERS[name] for name in names if name in WRAPPERS), kind)


def document(value: Any) -> str:
    """Return the text of JSON in a driver's wrapper, as the driver makes it."""
    if hasattr(value, "adapted"):  # psycopg2
        return str(value.dumps(value.adapted))
    text = (value.dumps or json.dumps)(value.obj)
    return text.decode() if isinstance(text, bytes) else str(text)


def binary(value: Any) -> bytes:
    """Return the bytes in a driver's wrapper."""
    return bytes(getattr(value, "adapted", value))
