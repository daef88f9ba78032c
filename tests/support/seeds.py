"""Seeding small organisations as the command does."""

import datetime

from tformance_seed import verification
from tformance_seed.commands import seed as seeding
from tformance_seed.execution import local
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Options, Request
from tformance_seed.storage.models import Team

UNTIL = datetime.date(2026, 3, 18)
ORGANISATION = "polar"


def seed(database, *organisations, options=None, until=UNTIL, days=21, progress=lambda _: None, **wishes):
    """Seed a small organisation as the command does; returns the outcome."""
    request = Request(
        organisations=organisations or (ORGANISATION,),
        days=days,
        until=until,
        options=options or Options(),
        **wishes,
    )
    with local.executor(database) as executor:
        return seeding.run(database, executor, request, make_plans(request, until), progress)


def content(database, slug=ORGANISATION):
    return verification.digest(database, Team.get(Team.slug == slug).id)
