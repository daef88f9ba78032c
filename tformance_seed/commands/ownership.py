"""Check that the teams of a request may be written to."""

from collections.abc import Sequence

import peewee

from tformance_seed import ledger
from tformance_seed.planning.plan import Plan
from tformance_seed.planning.request import Options


def check_ownership(database: peewee.Database, options: Options, planned: Sequence[Plan]) -> None:
    """Check that the planned teams may be written to and, if the options say so, cleared first.

    Raises:
      InputError: a team was not created by the package and is not to be adopted, or it is another
        organisation's.
    """
    ledger.check_ownership(
        database,
        {item.slug: item.team_slug for item in planned},
        adopt=options.adopt,
        clear=options.clear,
        rename=options.slug is not None,
    )
