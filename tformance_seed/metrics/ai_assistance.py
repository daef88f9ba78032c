"""The definition of AI-assisted, shared by metrics, insights, reports and verification."""

import peewee
from peewee import fn

from tformance_seed.storage.models import PullRequest

#: Whether a pull request is AI-assisted, as SQL. The application leaves the column NULL if this is unknown,
#: which counts as not assisted.
WITH_AI = fn.COALESCE(PullRequest.is_ai_assisted, False)

#: ``WITH_AI`` as a number, 1 or 0, to group by.
WITH_AI_NUMBER = peewee.Case(None, [(WITH_AI, 1)], 0)
