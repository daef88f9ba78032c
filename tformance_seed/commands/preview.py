"""What a seeding command would do."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tformance_seed import ledger
from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.planning.plan import Plan
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import connect, sqlite_file
from tformance_seed.storage.introspection import table_names
from tformance_seed.storage.models import Team
from tformance_seed.storage.schema.create import lists_teams


@dataclass(frozen=True)
class Preview:
    """What a run would do to one organisation."""

    organisation: str
    since: datetime.date
    until: datetime.date
    members: int
    pull_requests: int
    ai_usage_rows: int
    action: str


def preview(url: str, request: Request, planned: Sequence[Plan]) -> list[Preview]:
    """What ``seeding.run`` would do, without writing anything, not even a missing database file."""
    path = sqlite_file(url)
    database = None if path is not None and not path.exists() else connect(url, access="read")
    fresh = database is None or Team._meta.table_name not in table_names(database)
    known = database is not None and lists_teams(database)
    previews = []
    for item in planned:
        profile, members = item.profile, len(item.source.members())
        usage = expected_usage_rows(members, len(profile.workdays), profile.mean_adoption)
        action = "new" if fresh else _action(item, request, known=known)
        previews.append(
            Preview(
                profile.organisation.slug,
                profile.since,
                profile.until,
                members,
                item.source.total,
                round(usage),
                action,
            )
        )
    return previews


def _action(item: Plan, request: Request, *, known: bool) -> str:
    slug = item.profile.organisation.slug
    own = ledger.own_team(slug) if known else None
    if own is None and Team.select().where(Team.slug == slug).exists():
        return (
            "adopt the team" if request.options.adopt else "refuse: somebody else's team; --adopt allows it"
        )
    if own is None:
        return "new"
    if request.options.clear or ledger.starts_over(own, item.input_spec()):
        return "start over: its rows are of other inputs, or --clear"
    return "bring up to date"
