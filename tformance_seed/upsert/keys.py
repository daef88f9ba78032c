"""The conflict target of a model, read off its unique keys."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import peewee


@dataclass(frozen=True)
class Key:
    """A unique key: its fields in order, and the predicate of a partial one (None: of every row)."""

    fields: tuple[peewee.Field, ...]
    where: Any = None


def unique_key(model: type[peewee.Model], given: Collection[str] | None = None) -> Key:
    """The first unique key that the model declares and whose columns are all given.

    Looked for in this order: ``unique=True`` fields, ``Meta.indexes``, ``add_index``, and the primary key
    where its columns are given.

    Parameters:
      given: column names of the rows; None: any.
    Raises:
      ValueError: there is no such key.
    """
    meta = model._meta
    for key in [*_declared(model), Key(tuple(meta.get_primary_keys()))]:
        if given is None or all(field.column_name in given for field in key.fields):
            return key
    raise ValueError(f"{model.__name__} has no unique key among the columns {', '.join(sorted(given or ()))}")


def _declared(model: type[peewee.Model]) -> list[Key]:
    meta = model._meta
    keys = [Key((field,)) for field in meta.sorted_fields if field.unique and not field.primary_key]
    for index in meta.indexes:
        if isinstance(index, peewee.ModelIndex):
            fields = tuple(index._expressions)
            if index._unique and all(isinstance(field, peewee.Field) for field in fields):
                keys.append(Key(fields, index._where))
        elif isinstance(index, list | tuple) and index[1]:
            keys.append(Key(tuple(meta.fields[name] for name in index[0])))
    return keys
