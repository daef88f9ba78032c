"""The definitions of AI-assisted, shared by metrics, insights, reports and verification."""

from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.storage.models import PullRequest

#: The least confidence with which a summary overrules what was found in title and body.
CONFIDENT = 0.5

#: Whether a pull request is AI-assisted, as SQL. The application leaves the column NULL if this is unknown,
#: which counts as not assisted.
WITH_AI = fn.COALESCE(PullRequest.is_ai_assisted, False)

#: ``WITH_AI`` as a number, 1 or 0, to group by.
WITH_AI_NUMBER = peewee.Case(None, [(WITH_AI, 1)], 0)


def effective_ai_number(database: peewee.Database) -> peewee.ColumnBase:
    """Return, as SQL, 1 if the application's key figures count a pull request as AI-assisted, and else 0.

    That is what its summary says, if it is confident enough, and else ``WITH_AI``.
    """
    says_yes, says_no = _summary_says(database, answer=True), _summary_says(database, answer=False)
    return peewee.Case(None, [(says_yes, 1), (says_no, 0)], WITH_AI_NUMBER)


def _summary_says(database: peewee.Database, *, answer: bool) -> Any:
    summary = PullRequest.llm_summary
    if is_postgresql(database):
        path = f"$.ai ? (@.confidence >= {CONFIDENT} && @.is_assisted == {str(answer).lower()})"
        return fn.jsonb_path_exists(summary, peewee.Value(path, converter=False).cast("JSONPATH"))
    confidence, is_assisted = (
        fn.json_extract(summary, f"$.ai.{key}") for key in ("confidence", "is_assisted")
    )
    return (confidence >= CONFIDENT) & (is_assisted == answer)
