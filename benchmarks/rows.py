"""The rows that all ways write: those of one seeded organisation, in the form that each way needs."""

import dataclasses
from typing import Any

import numpy as np
import peewee

import tformance_seed
from benchmarks.server import Server, execute
from tformance_seed.bulk.fitting import convert_columns
from tformance_seed.storage.connection import connect
from tformance_seed.storage.models import AIUsageDaily, Commit, PRFile, PullRequest

#: Tables that are filled again and again.
MODELS = (AIUsageDaily, PRFile, Commit, PullRequest)

#: The organisation: some sixty thousand rows of AI usage and of files.
MEMBERS, PULL_REQUESTS, DAYS = 300, 6_000, 365


@dataclasses.dataclass
class Rows:
    """The rows of one table, without their ids."""

    model: type[peewee.Model]
    names: list[str]
    tuples: list[tuple[Any, ...]]
    columns: dict[str, Any]

    def __len__(self) -> int:
        return len(self.tuples)

    def part(self, share: float) -> "Rows":
        """Return a share of the rows, the first ones."""
        count = int(len(self) * share)
        cut = {name: values[:count] for name, values in self.columns.items()}
        return Rows(self.model, self.names, self.tuples[:count], cut)

    def halves(self) -> list["Rows"]:
        """Return two parts in the order of the key, as two workers would write them."""
        middle = len(self) // 2
        return [
            Rows(
                self.model,
                self.names,
                self.tuples[part],
                {name: values[part] for name, values in self.columns.items()},
            )
            for part in (slice(0, middle), slice(middle, None))
        ]


def organisation(url: str, *, members: int, prs: int, days: int, adoption: float = 1.0) -> None:
    """Seed one organisation."""
    outcome = tformance_seed.seed(
        url, "calcom", members=members, prs=prs, days=days, adoption=adoption, until="2026-03-18"
    )
    assert not outcome.failures, outcome.failures


def read(url: str) -> dict[str, Rows]:
    """Return the seeded rows of each table."""
    database = connect(url)
    rows = {}
    for model in MODELS:
        fields = [field for field in model._meta.sorted_fields if not field.primary_key]
        names = [field.column_name for field in fields]
        tuples = list(model.select(*fields).order_by(model.id).tuples().iterator(database))
        by_name = dict(zip(names, zip(*tuples, strict=True), strict=True))
        typed = {}
        for column in convert_columns(model, by_name):
            values: Any = column.values
            if column.kind == "numeric":
                values = values / 10**column.field.decimal_places
            typed[column.field.column_name] = (
                values if column.null is None else np.ma.MaskedArray(values, mask=column.null)
            )
        rows[model.__name__] = Rows(model, names, tuples, typed)
    database.close()
    return rows


def empty(url: str, model: type[peewee.Model]) -> None:
    """Remove a table's rows, and let the server write what it still has to."""
    execute(url, f"TRUNCATE {model._meta.table_name} RESTART IDENTITY CASCADE")
    execute(url, "CHECKPOINT")


def prepare(server: Server) -> tuple[str, dict[str, Rows]]:
    """Return a database with an organisation in it, and its rows."""
    url = server.new_database()
    organisation(url, members=MEMBERS, prs=PULL_REQUESTS, days=DAYS)
    execute(url, "VACUUM ANALYZE")
    return url, read(url)
