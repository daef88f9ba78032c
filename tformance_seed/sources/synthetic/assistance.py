"""Which generated pull requests AI had a part in, who wrote them, and with which tool."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import AI_CODE_SHARE, FILES_BONUS, LINES_BONUS, MAX_AI_PROBABILITY
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import UInt64
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, Members
from tformance_seed.sources.synthetic.words import Tool, tools

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

#: Members who use AI tools leave at least this share of their work without a trace of them.
WITHOUT_TRACE = 0.2

#: All tools, those that write code first, as ``Tool``.
TOOLS: tuple[Tool, ...] = tools("code_tools") + tools("review_tools")


def ai_kinds(
    profile: Profile,
    members: Members,
    u: Floats,
    ended_at: Times,
    lines: Ints,
    files: Ints,
    author: Ints | None,
) -> npt.NDArray[np.int8]:
    """The column ``ai_kind``.

    A scenario's pull requests (those have authors already) follow its adoption: the members who use AI tools
    that week have it found in so many of theirs that the team comes to that rate, as far as they can. Where
    the user gave a rate, pull requests follow that and their size; else AI is found in the organisation's
    own share of them.

    Parameters:
      u: evenly spread in [0, 1), of each pull request.
      lines, files: how large it is without AI; as most files of a tree are code, all count as such.
    """
    code, any_ai = _chances(profile, members, ended_at, lines, files, author)
    return np.select([u < code, u < any_ai], [AI_CODE, AI_REVIEW], AI_NONE).astype(np.int8)


def _chances(
    profile: Profile, members: Members, ended_at: Times, lines: Ints, files: Ints, author: Ints | None
) -> tuple[Floats, Floats]:
    """The probability that AI wrote each pull request, and that it wrote or reviewed it."""
    if author is not None:
        adoption = profile.adoption_at(ended_at)
        users = np.searchsorted(np.sort(members.adoption_threshold), adoption) / len(members)
        theirs = np.minimum(1.0, adoption / np.maximum(users, 1e-9))
        chance = np.where(members.adoption_threshold[author] < adoption, theirs, 0.0)
        return chance, chance
    if not (members.adoption_threshold < profile.adoption).any():
        return np.zeros(len(lines)), np.zeros(len(lines))
    if profile.adoption_given:
        chance = np.minimum(
            MAX_AI_PROBABILITY, profile.adoption + _bonus(lines, LINES_BONUS) + _bonus(files, FILES_BONUS)
        )
        return chance, chance
    found = np.full(len(lines), profile.organisation.ai_found)
    return found * AI_CODE_SHARE, found


def _bonus(sizes: Ints, table: tuple[tuple[int, float], ...]) -> Floats:
    return np.select([sizes > least for least, _ in table], [bonus for _, bonus in table], 0.0)


def authors(profile: Profile, members: Members, key: UInt64, kind: npt.NDArray[np.int8]) -> Ints:
    """Who wrote each pull request, in proportion to their work; those with AI somebody who uses AI tools.

    The others are so divided that everybody's share of all pull requests stays near their weight.
    """
    uses = members.adoption_threshold < profile.adoption
    theirs = members.weight[uses].sum()
    found = (
        min(MAX_AI_PROBABILITY, profile.adoption) if profile.adoption_given else profile.organisation.ai_found
    )
    left = max(WITHOUT_TRACE, 1 - found / theirs) if theirs > 0 else 1.0
    author = profile.random.pick("author", np.where(uses, left, 1.0) * members.weight, key)
    with_ai = np.flatnonzero(kind != AI_NONE)
    if len(with_ai):
        author[with_ai] = profile.random.pick("author", np.where(uses, members.weight, 0.0), key[with_ai])
    return author


def tool_choice(profile: Profile, key: UInt64, kind: npt.NDArray[np.int8], ended_at: Times) -> Ints:
    """The tool found in each pull request, an index into ``TOOLS``, -1 for none; by month as published."""
    month = ended_at.astype("datetime64[M]").astype(np.int64) % 12
    u = profile.random.uniform("AI tool", key)[:, None]
    writing = len(tools("code_tools"))
    found = np.array([tool.months for tool in TOOLS]).T  # month x tool
    choices = []
    for share, first in ((found[:, :writing], 0), (found[:, writing:], writing)):
        bounds = np.cumsum(share, axis=1)[:, :-1] / share.sum(axis=1, keepdims=True)
        choices.append(first + (u >= bounds[month]).sum(axis=1))
    return np.select([kind == AI_CODE, kind == AI_REVIEW], choices, -1)
