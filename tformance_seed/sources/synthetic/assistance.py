"""AI assistance in generated pull requests: which ones it is found in, the tools, and the authors."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import AI_CODE_SHARE, FILES_BONUS, LINES_BONUS, MAX_AI_PROBABILITY
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times, UInt64
from tformance_seed.sampling.distributions import first_exceeded
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Members
from tformance_seed.sources.synthetic.words import ai_tools, code_tools

AIKinds = npt.NDArray[np.int8]

#: Minimum share of the work of members who use AI tools in which no AI is found.
MIN_UNATTRIBUTED = 0.2

#: Share of the use of AI in a scenario that leaves a trace.
TRACED_SHARE = 0.96


def assign_ai_kinds(
    profile: Profile, members: Members, u: Floats, lines: Ints, files: Ints, used_ai: Booleans | None
) -> AIKinds:
    """Return the column ``ai_kind``.

    In a scenario, nearly all use of AI leaves a trace. If the user gave an adoption rate, AI is found at that
    rate plus a bonus for the size of the pull request. Otherwise it is found in the organisation's share of
    pull requests (``ai_found``).

    Parameters:
      u: a value for each pull request, evenly spread in [0, 1).
      lines, files: the size that each would have without AI. All files count as code, as most are.
      used_ai: in which pull requests of a scenario the author used AI; None: it is decided afterwards.
    """
    if used_ai is not None:
        return np.where(used_ai & (u < TRACED_SHARE), AI_CODE, AI_NONE).astype(np.int8)
    code, any_ai = _probabilities(profile, members, lines, files)
    return np.select([u < code, u < any_ai], [AI_CODE, AI_REVIEW], AI_NONE).astype(np.int8)


def _probabilities(profile: Profile, members: Members, lines: Ints, files: Ints) -> tuple[Floats, Floats]:
    """Return the probabilities that AI wrote each pull request, and that AI wrote or reviewed it."""
    if not (members.adoption_threshold < profile.adoption).any():
        return np.zeros(len(lines)), np.zeros(len(lines))
    if profile.adoption_given:
        bonus = first_exceeded(lines, LINES_BONUS) + first_exceeded(files, FILES_BONUS)
        probability = np.minimum(MAX_AI_PROBABILITY, profile.adoption + bonus)
        return probability, probability
    found = np.full(len(lines), profile.organisation.ai_found)
    return found * AI_CODE_SHARE, found


def pick_authors(profile: Profile, members: Members, key: UInt64, kind: AIKinds) -> Ints:
    """Choose the author of each pull request, in proportion to the members' shares of the work.

    Pull requests with AI go to members who use AI tools. The others are divided so that each member's share
    of all pull requests stays close to their weight.

    Parameters:
      key, kind: the hash and the ``ai_kind`` of each pull request.
    """
    uses_ai = members.adoption_threshold < profile.adoption
    weight_of_users = members.weight[uses_ai].sum()
    found = profile.organisation.ai_found
    if profile.adoption_given:
        found = min(MAX_AI_PROBABILITY, profile.adoption)
    unattributed = max(MIN_UNATTRIBUTED, 1 - found / weight_of_users) if weight_of_users > 0 else 1.0
    author = profile.random.pick("author", np.where(uses_ai, unattributed, 1.0) * members.weight, key)
    with_ai = np.flatnonzero(kind != AI_NONE)
    if len(with_ai):
        author[with_ai] = profile.random.pick("author", np.where(uses_ai, members.weight, 0.0), key[with_ai])
    return author


def pick_tools(profile: Profile, key: UInt64, kind: AIKinds, ended_at: Times) -> Ints:
    """Choose the AI tool of each pull request, as an index into ``ai_tools()``; -1 for none.

    Tools are drawn in the proportions published for the month.
    """
    month = ended_at.astype("datetime64[M]").astype(np.int64) % 12
    u = profile.random.uniform("AI tool", key)[:, None]
    writing = len(code_tools())  # the tools after these review
    counts = np.array([tool.monthly_counts for tool in ai_tools()]).T  # month x tool
    choices = []
    for part, offset in ((counts[:, :writing], 0), (counts[:, writing:], writing)):
        bounds = np.cumsum(part, axis=1)[:, :-1] / part.sum(axis=1, keepdims=True)
        choices.append(offset + (u >= bounds[month]).sum(axis=1))
    return np.select([kind == AI_CODE, kind == AI_REVIEW], choices, -1)
