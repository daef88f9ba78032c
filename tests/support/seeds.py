"""Seeding small organisations through the Python API."""

import datetime
from collections.abc import Callable
from typing import Any

import peewee

import tformance_seed
from tformance_seed import verification
from tformance_seed.commands.seed import Outcome
from tformance_seed.ledger import RunStatus
from tformance_seed.storage.models import SeedTeam

UNTIL = datetime.date(2026, 3, 18)
#: The time at which a window ends on ``UNTIL`` by default.
NOW = datetime.datetime(2026, 3, 19, 9, 30, tzinfo=datetime.UTC)
ORGANISATION = "polar"
DAYS = 21

#: The slug of its team in the application.
TEAM = "polar-demo"


def seed(
    database: peewee.Database,
    *organisations: str,
    until: datetime.date = UNTIL,
    days: int = DAYS,
    progress: Callable[[RunStatus], None] = lambda _: None,
    **options: Any,
) -> Outcome:
    """Seed organisations, by default a small one over three weeks; return the outcome."""
    slugs = organisations or (ORGANISATION,)
    return tformance_seed.seed(database, *slugs, until=until, days=days, progress=progress, **options)


def content(database: peewee.Database, slug: str = ORGANISATION) -> verification.ContentDigest:
    """Return the digests of an organisation's content."""
    return verification.digest(database, SeedTeam.get(SeedTeam.slug == slug).team_id)


def rows_before(model: type[peewee.Model], day: datetime.date) -> dict[int, dict[str, Any]]:
    """Return, by id, the rows that were created before a day, without the times of the last use."""
    last_times = {"copilot_last_sync_at", "copilot_last_activity_at"}
    fields = [field for field in model._meta.sorted_fields if field.name not in last_times]
    midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    return {row["id"]: row for row in model.select(*fields).where(model.created_at < midnight).dicts()}
