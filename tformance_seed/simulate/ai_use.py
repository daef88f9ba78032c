"""Whether the author of a pull request used AI, which is more than the traces that it leaves."""

import numpy as np

from tformance_seed.catalog.calibration import FILES_BONUS, LINES_BONUS, MAX_AI_PROBABILITY
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Times
from tformance_seed.sampling.distributions import first_exceeded
from tformance_seed.sources.records import AI_CODE, Batch, Members

#: Probability that a member who uses AI tools uses one for a pull request, before the bonus for its size.
USE_IN_SMALL_CHANGE = 0.65

#: Share of the pull requests with traces of code by AI whose author says so; others no longer know, or see it
#: differently.
ADMITTED = 0.93

#: A member who has been active for this long has used AI tools by now, if they use any.
SETTLED = np.timedelta64(14, "D")


def simulate_ai_use(batch: Batch, members: Members, profile: Profile) -> Booleans:
    """Return in which pull requests the author used AI, in the author's own view.

    It follows who uses AI tools, and the size of the change. A tool that signs a commit leaves no doubt.
    """
    prs = batch.pull_requests
    files = np.bincount(batch.files["pull_request"], minlength=len(prs["key"]))
    lines = prs["additions"] + prs["deletions"]
    bonus = first_exceeded(lines, LINES_BONUS) + first_exceeded(files, FILES_BONUS)
    probability = np.minimum(USE_IN_SMALL_CHANGE + bonus, MAX_AI_PROBABILITY)
    probability *= is_user(prs["author"], prs["ended_at"], members, profile)
    probability = np.where(prs["ai_kind"] == AI_CODE, ADMITTED, probability)
    used: Booleans = profile.random.chance("used AI", probability, prs["key"]) | prs["has_ai_commits"]
    return used | prs["signed_by_ai"] if "signed_by_ai" in prs else used


def is_user(author: np.typing.NDArray[np.int64], when: Times, members: Members, profile: Profile) -> Booleans:
    """Return which authors use AI tools at each time, and have been active for long enough to show it."""
    uses = members.ai_intensity(author, profile.adoption_at(when)) > 0
    if members.activity is not None:
        recent = members.activity.commits_before(when - SETTLED)
        uses &= recent[np.arange(len(uses)), author] > 0
    return uses
