"""The AI assistance of generated pull requests: in which ones AI is found, with which tool, and by whom."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import AI_CODE_SHARE, FILES_BONUS, LINES_BONUS, MAX_AI_PROBABILITY
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Floats, Ints, Times, UInt64
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Members
from tformance_seed.sources.synthetic.words import ai_tools, code_tools

AIKinds = npt.NDArray[np.int8]

#: Share of their work, at least, in which no AI is found, of members who use AI tools.
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

    The pull requests of a scenario, which already have authors, follow its adoption: AI is found in so many
    pull requests of the members who use AI tools that week that the team as a whole comes to the rate, as
    far as possible. Where the user gave a rate, pull requests follow it and their size. Otherwise AI is
    found in the organisation's own share of them.

    Parameters:
      u: of each pull request, evenly spread in [0, 1).
      lines, files: its size if AI were not used; as most files of a tree are code, all count as such.
      author: row of ``members``; None where authors are chosen by the kind.
    """
    code, any_ai = _probabilities(profile, members, ended_at, lines, files, author)
    return np.select([u < code, u < any_ai], [AI_CODE, AI_REVIEW], AI_NONE).astype(np.int8)


def _probabilities(
    profile: Profile, members: Members, ended_at: Times, lines: Ints, files: Ints, author: Ints | None
) -> tuple[Floats, Floats]:
    """Return the probability that AI wrote each pull request, and that it wrote or reviewed it."""
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
    """Return the bonus of the first row of the table whose bound each size exceeds."""
    return np.select([sizes > bound for bound, _ in table], [bonus for _, bonus in table], 0.0)


def pick_authors(profile: Profile, members: Members, key: UInt64, kind: AIKinds) -> Ints:
    """Return the author of each pull request, in proportion to the members' work.

    Those with AI go to members who use AI tools; the others are divided so that the share of each member in
    all pull requests stays near their weight.

    Parameters:
      key, kind: of each pull request its hash and ``ai_kind``.
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
    """Return the AI tool of each pull request as an index into ``ai_tools()``, -1 for none.

    Tools come in the proportions that were published for the month.
    """
    month = ended_at.astype("datetime64[M]").astype(np.int64) % 12
    u = profile.random.uniform("AI tool", key)[:, None]
    writing = len(code_tools())  # the others review
    counts = np.array([tool.monthly_counts for tool in ai_tools()]).T  # month x tool
    choices = []
    for part, offset in ((counts[:, :writing], 0), (counts[:, writing:], writing)):
        bounds = np.cumsum(part, axis=1)[:, :-1] / part.sum(axis=1, keepdims=True)
        choices.append(offset + (u >= bounds[month]).sum(axis=1))
    return np.select([kind == AI_CODE, kind == AI_REVIEW], choices, -1)
