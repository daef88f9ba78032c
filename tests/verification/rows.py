"""Finding and changing single rows."""

from typing import Any

import peewee

from tformance_seed.storage.models import PullRequest


def one(model: type[peewee.Model], number: int | None = None) -> Any:
    """Return the first row of a table, or the first that belongs to a pull request."""
    query = model.select().order_by(model.id)
    if model is PullRequest:
        query = query.where(PullRequest.github_pr_id == number)
    elif number is not None:
        query = query.where(model.pull_request == one(PullRequest, number))
    return query.first()


def change(row: Any, **values: Any) -> str:
    """Change a row, and return the name of its table."""
    assert type(row).update(values).where(type(row).id == row.id).execute() == 1
    return type(row)._meta.table_name
