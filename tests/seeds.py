"""Seeding small organisations as the command does."""

import datetime

from tformance_seed import planning, seeding, verify
from tformance_seed.models import Team
from tformance_seed.planning import Options
from tformance_seed.workers import local

UNTIL = datetime.date(2026, 3, 18)
ORGANISATION = "polar"


def seed(database, *organisations, options=None, until=UNTIL, days=21, progress=lambda _: None, **wishes):
    """Seed a small organisation as the command does; returns the outcome."""
    request = planning.Request(
        organisations=organisations or (ORGANISATION,),
        days=days,
        until=until,
        options=options or Options(),
        **wishes,
    )
    with local.crew(database) as crew:
        return seeding.run(database, crew, request, planning.plan(request, until), progress)


def content(database, slug=ORGANISATION):
    return verify.digest(database, Team.get(Team.slug == slug).id)
