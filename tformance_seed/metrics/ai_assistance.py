"""What counts as AI-assisted, for metrics, insights, reports and verification alike."""

import peewee
from peewee import fn

from tformance_seed.storage.models import PullRequest

#: Whether a pull request is assisted by AI, as SQL: the application leaves the column NULL if it is unknown,
#: which counts as not assisted.
WITH_AI = fn.COALESCE(PullRequest.is_ai_assisted, False)

#: The same as a number, 1 or 0, to group by.
WITH_AI_NUMBER = peewee.Case(None, [(WITH_AI, 1)], 0)
