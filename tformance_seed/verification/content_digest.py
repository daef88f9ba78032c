"""Compute a digest of a team's content that does not depend on the database, its ids or the order of rows.

Each row is written as one canonical text, which replaces references by natural keys and omits ids, and is
hashed with BLAKE2b to 128 bits. The hashes of a table are added modulo 2^128. This is the construction
MSet-Add-Hash of Clarke et al., "Incremental Multiset Hash Functions and Their Application to Memory
Integrity Checking" (ASIACRYPT 2003), without a key: it distinguishes any two contents that were not
constructed to collide, counts repeated rows, and accepts rows in any order. It is not a signature: since it
has no key and only 128 bits, anyone who can choose the rows can construct two contents with the same digest.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.bulk.peewee_internals import (
    table_name,
)
from tformance_seed.bulk.refresh import non_id_fields
from tformance_seed.storage.models import (
    APPLICATION,
    ApplicationModel,
    PullRequest,
    Team,
)
from tformance_seed.storage.models.fields import JSONField
from tformance_seed.verification.canonical import (
    UNORDERED,
    Column,
    bytewise,
    canonical_json,
    converted,
    set_canonical,
    stream,
)
from tformance_seed.verification.natural_keys import natural_key, team_field

#: The size of a row's hash in bytes, and the modulus for the sum of hashes.
HASH_SIZE = 16
MODULUS = 1 << 8 * HASH_SIZE

#: Separates a row's JSON columns from the text before them; JSON text never contains it.
SEPARATOR = "\x1f"

#: Columns that are no part of the content: what a team is called does not change what is in it.
UNDIGESTED = frozenset({Team.name, Team.slug})

#: Columns that do not follow from the inputs where a language model wrote summaries.
OF_SUMMARIES = frozenset({PullRequest.llm_summary, PullRequest.ai_signals, PullRequest.ai_confidence_score})


class TableDigest(TypedDict):
    """The number of a team's rows in one table, and their digest."""

    rows: int
    digest: str


@dataclass(frozen=True)
class ContentDigest:
    """The digest of each of a team's tables, and a digest of all of them together."""

    tables: dict[str, TableDigest]
    digest: str


def digest(database: peewee.Database, team_id: int, *, with_summaries: bool = True) -> ContentDigest:
    """Return the digest of a team's content in all of the application's tables.

    It has 32 hexadecimal digits, and is the same on SQLite and PostgreSQL. Rows are streamed.

    Parameters:
      with_summaries: whether summaries of pull requests, and what follows from them, are part of it.
    """
    left_out = UNDIGESTED if with_summaries else UNDIGESTED | OF_SUMMARIES
    tables: dict[str, TableDigest] = {}
    with database.atomic():
        set_canonical(database)
        for model in APPLICATION:
            tables[table_name(model)] = _sum(_texts(database, _query(database, model, team_id, left_out)))
    lines = [f"{name} {table['rows']} {table['digest']}" for name, table in sorted(tables.items())]
    return ContentDigest(tables, _hash("\n".join(lines)).hex())


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=HASH_SIZE).digest()


def _sum(texts: Iterator[str]) -> TableDigest:
    """Return the number of texts, and the sum of their hashes."""
    rows = total = 0
    for text in texts:
        rows += 1
        total += int.from_bytes(_hash(text), "big")
    return {"rows": rows, "digest": (total % MODULUS).to_bytes(HASH_SIZE, "big").hex()}


def _texts(database: peewee.Database, query: peewee.Select) -> Iterator[str]:
    """Yield the canonical text of each row."""
    for text, *documents in stream(database, query):
        yield SEPARATOR.join([text, *map(canonical_json, documents)]) if documents else text


def _query(
    database: peewee.Database,
    model: type[ApplicationModel],
    team_id: int,
    left_out: Collection[peewee.Field],
) -> peewee.Select:
    """Return the query for a team's rows: one canonical text of all other columns, then the JSON columns."""
    pair = UNORDERED.get(model, ())
    names = {field.name for field in pair}  # fields themselves overload ==
    fields = [
        field
        for field in non_id_fields(model)
        if field not in left_out and field.name not in names and getattr(field, "rel_model", None) is not Team
    ]
    plain = [field for field in fields if not isinstance(field, JSONField)]
    specs, values, joins = _canonical(database, model, plain)
    write = fn.format if is_postgresql(database) else fn.printf
    documents = [field.cast("TEXT") for field in fields if isinstance(field, JSONField)]
    if pair:
        texts = []
        for field in pair:
            own_specs, own_values, own_joins = _canonical(database, model, [field])
            texts.append(write("|".join(own_specs), *own_values))
            joins += own_joins
        specs, values = [*specs, "%s", "%s"], [*values, *_in_order(database, *texts)]
    query = model.select(write("|".join(specs), *values), *documents)
    for source, target, on in joins:
        query = query.join_from(source, target, peewee.JOIN.LEFT_OUTER, on=on)
    of_team: peewee.Select = query.where(team_field(model) == team_id)
    return of_team


def _in_order(database: peewee.Database, *texts: peewee.ColumnBase) -> list[peewee.ColumnBase]:
    """Return the lesser of two texts, compared byte by byte, and the greater."""
    least, greatest = (fn.LEAST, fn.GREATEST) if is_postgresql(database) else (fn.MIN, fn.MAX)
    compared = [bytewise(database, text) for text in texts]
    return [least(*compared), greatest(*compared)]


#: The joins that a query needs, each as (source, target, condition).
Joins = list[tuple[Any, Any, peewee.Expression]]


def _canonical(
    database: peewee.Database, source: Any, fields: Sequence[peewee.Field]
) -> tuple[list[str], list[Column], Joins]:
    """Return how to write the fields of a model or an alias.

    NULL becomes the empty text. No value does, because text is preceded by its length.

    Returns:
      Format specifiers, the values to format, and the joins needed.
    """
    specs: list[str] = []
    values: list[Column] = []
    joins: Joins = []
    for field in fields:
        column = getattr(source, field.name)
        if isinstance(field, peewee.ForeignKeyField):
            target = field.rel_model.alias()
            joins.append((source, target, column == target.id))
            more = _canonical(database, target, natural_key(field.rel_model))
            specs, values, joins = specs + more[0], values + more[1], joins + more[2]
        elif isinstance(field, peewee.CharField | peewee.TextField):
            specs.append("%s:%s")
            values += [fn.LENGTH(column), column]
        else:
            specs.append("%s")
            values.append(converted(database, column, field))
    return specs, values, joins
