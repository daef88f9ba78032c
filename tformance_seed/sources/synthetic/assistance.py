"""AI assistance in generated pull requests: which ones it is found in, the tools, and the authors."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import AI_CODE_SHARE, FILES_BONUS, LINES_BONUS, MAX_AI_PROBABILITY
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Floats, Ints, Times, UInt64
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Members
from tformance_seed.sources.synthetic.words import ai_tools, code_tools

AIKinds = npt.NDArray[np.int8]

#: Minimum share of the work of members who use AI tools in which no AI is found.
MIN_UNATTRIBUTED = 0.2


def assign_ai_kinds(
    profile: Profile,
    members: Members,
    u: Floats,
    ended_at: Times,
    lines: Ints,
    files: Ints,
    author: Ints | None,
) -> AIKinds:
    """Return the column ``ai_kind``.

    The pull requests of a scenario already have authors. AI is found in just enough of the pull requests of
    members who use AI tools that week for the whole team to reach the adoption rate, as far as possible. If
    the user gave an adoption rate, AI is found at that rate plus a bonus for the size of the pull request.
    Otherwise it is found in the organisation's share of pull requests (``ai_found``).

    Parameters:
      u: a value for each pull request, evenly spread in [0, 1).
      lines, files: the size that each would have without AI. All files count as code, as most are.
      author: rows of ``members``; None if authors are to be chosen after the kind.
    """
    code, any_ai = _probabilities(profile, members, ended_at, lines, files, author)
    return np.select([u < code, u < any_ai], [AI_CODE, AI_REVIEW], AI_NONE).astype(np.int8)


def _probabilities(
    profile: Profile, members: Members, ended_at: Times, lines: Ints, files: Ints, author: Ints | None
) -> tuple[Floats, Floats]:
    """Return the probabilities that AI wrote each pull request, and that AI wrote or reviewed it."""
    if author is not None:
        adoption = profile.adoption_at(ended_at)
        users = np.searchsorted(np.sort(members.adoption_threshold), adoption) / len(members)
        rate_of_users = np.minimum(1.0, adoption / np.maximum(users, 1e-9))
        probability = np.where(members.adoption_threshold[author] < adoption, rate_of_users, 0.0)
        return probability, probability
    if not (members.adoption_threshold < profile.adoption).any():
        return np.zeros(len(lines)), np.zeros(len(lines))
    if profile.adoption_given:
        bonus = _size_bonus(lines, LINES_BONUS) + _size_bonus(files, FILES_BONUS)
        probability = np.minimum(MAX_AI_PROBABILITY, profile.adoption + bonus)
        return probability, probability
    found = np.full(len(lines), profile.organisation.ai_found)
    return found * AI_CODE_SHARE, found


def _size_bonus(sizes: Ints, table: tuple[tuple[int, float], ...]) -> Floats:
    """Return, for each size, the bonus in the first row of the table whose bound it exceeds, else 0."""
    return np.select([sizes > bound for bound, _ in table], [bonus for _, bonus in table], 0.0)


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
