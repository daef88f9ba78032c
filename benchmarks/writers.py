"""Upserts of the same rows by several processes at once: ``python -m benchmarks.writers [FORM ...]``.

Each process upserts 500 of 3,000 keys, drawn at random, again and again for ``--seconds``. Prints how many
upserts of each form were done, what errors there were, and how many deadlocks the server counted; the exit
status is 1 if there were any in a form in which none may be. A run of all forms for a minute and more is kept
as writers.json here.
"""

import argparse
import contextlib
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import peewee

from benchmarks.server import execute, server
from tformance_seed.bulk import upsert

RESULTS = Path(__file__).with_name("writers.json")

#: How many rows there are, and how many of them an upsert has.
KEYS, ROWS = 3_000, 500


class Item(peewee.Model):
    """The rows that all write."""

    k = peewee.IntegerField(unique=True)
    code = peewee.CharField(unique=True, null=True)
    v = peewee.IntegerField(null=True)
    v2 = peewee.IntegerField(null=True)

    class Meta:
        table_name = "item"


class Word(peewee.Model):
    """Rows whose key sorts otherwise in Python than under the database's collation."""

    name = peewee.CharField(unique=True)
    v = peewee.IntegerField(null=True)

    class Meta:
        table_name = "word"


Write = Callable[[peewee.Database, list[int], int, int], Any]


def _dictionaries(keys: list[int], value: int) -> list[dict[str, int]]:
    return [{"k": k, "v": value} for k in keys]


def columns(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    upsert(Item, {"k": np.array(keys), "v": np.full(len(keys), value)})


def copied(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    """Columns, by COPY."""
    upsert(Item, {"k": np.array(keys), "v": np.full(len(keys), value)}, copy=True)


def dictionaries(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    upsert(Item, iter(_dictionaries(keys, value)))


def dictionaries_in_chunks_of_a_transaction(
    database: peewee.Database, keys: list[int], value: int, _writer: int
) -> None:
    with database.atomic():
        upsert(Item, _dictionaries(keys, value), chunk_size=100)


def mixed_sizes_and_ways(database: peewee.Database, keys: list[int], value: int, writer: int) -> None:
    """From one row to all, by every way."""
    part = keys[: (1, 10, 100, ROWS)[value % 4]]
    block = database.atomic() if value % 3 == 0 else contextlib.nullcontext()
    with block:
        upsert(Item, _dictionaries(part, value), copy=(None, True, False)[writer % 3])


def texts(_: peewee.Database, keys: list[int], value: int, writer: int) -> None:
    """Keys that are texts, by statement and by COPY."""
    rows = [{"name": f"{'äÄaAéZ'[k % 6]}{k}", "v": value} for k in keys]
    upsert(Word, rows, copy=bool(writer % 2))


def ignoring(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    """New rows among those that exist."""
    new = [KEYS + (k + value) % 100_000 for k in keys]
    upsert(Item, _dictionaries([*keys, *new], value), on_conflict="ignore")


def returning(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    upsert(Item, _dictionaries(keys, value), returning=[Item.id])


def syncing(_: peewee.Database, keys: list[int], value: int, writer: int) -> None:
    """Each process has its part of the rows, and deletes what is missing of it."""
    low = writer * 1_000_000
    rows = _dictionaries([low + k for k in keys], value)
    upsert(Item, rows, sync=(Item.k >= low) & (Item.k < low + KEYS))


def syncing_the_same(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    """All processes delete what is missing of the same part of the rows."""
    upsert(Item, _dictionaries(keys, value), sync=Item.k < KEYS)


def two_unique_keys(_: peewee.Database, keys: list[int], value: int, _writer: int) -> None:
    """A second unique key in an order of its own."""
    upsert(Item, [{"k": k, "code": f"c{k * 7919 % (KEYS + 1)}", "v": value} for k in keys])


#: The forms in which rows are written, and whether they may deadlock.
FORMS: dict[str, tuple[Write, bool]] = {
    write.__name__: (write, may)
    for write, may in (
        (columns, False),
        (copied, False),
        (dictionaries, False),
        (dictionaries_in_chunks_of_a_transaction, False),
        (mixed_sizes_and_ways, False),
        (texts, False),
        (ignoring, False),
        (returning, False),
        (syncing, False),
        (syncing_the_same, False),
        (two_unique_keys, True),
    )
}


def work(url: str, form: str, writer: int, seconds: float, results: Any) -> None:
    """Upsert until the time is over; report how often, and what went wrong."""
    database = peewee.PostgresqlDatabase(url)
    draw, errors, done = random.Random(writer), Counter[str](), 0
    with database.bind_ctx([Item, Word]), database.connection_context():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                FORMS[form][0](database, draw.sample(range(KEYS), ROWS), writer + 16 * done, writer)
            except peewee.PeeweeException as error:
                errors[str(error).split("\n")[0]] += 1
            done += 1
    results.put((done, errors))


@contextlib.contextmanager
def tables(url: str) -> Iterator[None]:
    """Create the tables, with rows in one of them."""
    database = peewee.PostgresqlDatabase(url)
    with database.bind_ctx([Item, Word]):
        database.create_tables([Item, Word])
        upsert(Item, {"k": np.arange(KEYS), "v": np.zeros(KEYS, dtype=int)})
        yield
    database.close()


def measure(url: str, form: str, writers: int, seconds: float) -> dict[str, Any]:
    """Let several processes write in a form at once; return what came of it."""
    results: Any = multiprocessing.Queue()
    with tables(url):
        processes = [
            multiprocessing.Process(target=work, args=(url, form, writer, seconds, results))
            for writer in range(writers)
        ]
        for process in processes:
            process.start()
        found = [results.get() for _ in processes]
        for process in processes:
            process.join()
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((deadlocks,),) = execute(url, query)
    errors = sum((errors for _, errors in found), Counter[str]())
    return {"upserts": sum(done for done, _ in found), "deadlocks": deadlocks, "errors": dict(errors)}


def main() -> None:
    """Run the forms that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers")
    parser.add_argument("forms", nargs="*", metavar="FORM", help=f"of: {', '.join(FORMS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=60, help="for each form (default: 60)")
    parser.add_argument("--processes", type=int, default=8, help="how many write at once (default: 8)")
    chosen = parser.parse_args()
    if unknown := set(chosen.forms) - set(FORMS):
        parser.error(f"no form {min(unknown)}; expected some of {', '.join(FORMS)}")
    forms: dict[str, Any] = {}
    with server() as running:
        for form in chosen.forms or FORMS:
            forms[form] = measure(running.new_database(), form, chosen.processes, chosen.seconds)
            print(form, json.dumps(forms[form]), flush=True)
    if not chosen.forms and chosen.seconds >= 60:
        report = {"processes": chosen.processes, "seconds": chosen.seconds, "forms": forms}
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(any(found["errors"] for form, found in forms.items() if not FORMS[form][1]))


if __name__ == "__main__":
    main()
