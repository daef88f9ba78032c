"""Rows of the table PRSurvey: the author's answers about a merged pull request."""

import numpy as np

from tformance_seed.simulate.columns import moments, nullable, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Columns

#: How much of the AI's work the author modified, and the probabilities. "na" if there was no AI.
EFFORTS = np.array([b"none", b"minor", b"moderate", b"major"])
EFFORT_CHANCES = (0.10, 0.40, 0.35, 0.15)

#: Sources of people's answers, and their probabilities for authors; and of an automatic answer.
RESPONSE_SOURCES, AUTHOR_SOURCES = np.array([b"github", b"slack", b"web"]), (0.50, 0.35, 0.15)
AUTOMATIC = b"auto"

#: Seconds for which a link to the survey is valid.
TOKEN_LIFETIME = 7 * 86400


def surveys(batch: CompleteBatch) -> Columns:
    """Return PRSurvey rows; a row's timestamp is the time of the merge."""
    prs, responses, random = batch.pull_requests, batch.responses, batch.profile.random
    rows, answered = responses.pull_request, responses.author_answers
    key, merged_at = prs["key"][rows], prs["merged_at"][rows]
    assisted, asked = prs["used_ai"][rows], answered & ~responses.is_automatic
    effort = EFFORTS[random.pick("modification effort", EFFORT_CHANCES, key)]
    source = RESPONSE_SOURCES[random.pick("author source", AUTHOR_SOURCES, key)]
    token = np.char.add(
        random.hexadecimal("survey token", key), random.hexadecimal("survey token end", key).astype("S24")
    )
    return with_timestamps(
        {
            "pull_request": rows,
            "author": prs["author"][rows],
            "author_ai_assisted": nullable(assisted, answered),
            "author_responded_at": moments(responses.author_answered_at, answered),
            "ai_modification_effort": nullable(np.where(assisted, effort, b"na"), asked),
            "author_response_source": nullable(np.where(responses.is_automatic, AUTOMATIC, source), answered),
            "github_comment_id": random.identifier("survey comment", key),
            "token": token,
            "token_expires_at": moments(seconds(merged_at) + TOKEN_LIFETIME),
        },
        merged_at,
    )
