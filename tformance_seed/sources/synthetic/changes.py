"""What is decided about generated pull requests before anything is written down."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import KeyedRandom, UInt64
from tformance_seed.sampling.ragged import expand_counts
from tformance_seed.sources.records import AI_CODE, AI_NONE, PULL_REQUEST, Members, pull_request_key
from tformance_seed.sources.synthetic.assistance import ai_kinds, authors, tool_choice
from tformance_seed.sources.synthetic.calendar import Calendar, ScenarioCalendar, time_of_day
from tformance_seed.sources.synthetic.sizes import BLUR, COMMITS, FILES, lines_changed
from tformance_seed.sources.synthetic.trees import Tree, homes, touched

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.bytes_]
Booleans = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]

#: The dimensions of the pull requests' sequence that are used here.
DIMENSIONS = KIND, LINES, FILE_COUNT, COMMIT_COUNT = PULL_REQUEST.dimensions[:4]

#: Shares of pull requests that were merged, closed without a merge, and are open; of the last, drafts.
STATES, DRAFTS = {b"merged": 0.88, b"closed": 0.08, b"open": 0.04}, 0.25

#: Share of the pull requests without AI that bots open, all of them below these quantiles of lines, files
#: and commits; a scenario tells of people alone.
BOTS, BOTS_BELOW = 0.06, {LINES: 0.5, FILE_COUNT: 0.4, COMMIT_COUNT: 0.5}

#: Shares of merged pull requests that take another back (a scenario has its own), or put out a fire; all of
#: them below this quantile of lines.
REVERTS, HOTFIXES, SPECIAL_BELOW = 0.02, 0.03, 0.5

#: A revert takes back one of so many pull requests before it.
LOOK_BACK = 16

#: Share of pull requests by people that name a Jira issue in the title.
WITH_JIRA = 0.6

#: Of pull requests whose code AI wrote: share that say so below commits (the others in the body), and share
#: that touch the tool's configuration.
SIGNED, CONFIGURES = 0.8, 0.08

#: What a change can be, as the conventional prefix of its title says it.
KINDS = ("fix", "feat", "refactor", "perf", "chore", "docs", "test", "ci")

#: Shares of the first five kinds among changes to code; of changes that begin at a test the share that is
#: about tests; the most files of a change to documentation.
CODE_KINDS, ABOUT_TESTS, DOCS_FILES = (0.42, 0.33, 0.14, 0.04, 0.07), 0.2, 3


@dataclass(frozen=True)
class Changes:
    """Pull requests of one repository as decided, a row each, and whose each file and commit is."""

    repository: str
    number: Ints
    key: UInt64
    ended_at: Times
    author: Ints  #: -1 for bots
    state: Texts
    is_bot: Booleans
    is_draft: Booleans
    reverted: Ints  #: number of the pull request that it takes back, 0 for none
    is_hotfix: Booleans
    jira_key: Texts
    ai_kind: npt.NDArray[np.int8]
    tool: Ints  #: index into ``TOOLS``, -1 for none
    signed: Booleans  #: the tool stands below commits; else in the body
    configures: Booleans  #: the tool's configuration is among the files
    kind: Ints  #: index into ``KINDS``
    area: Texts  #: the part of the product that it is about
    noun: Texts  #: the thing in it
    lines: Ints
    file_owner: Ints  #: of each file its pull request
    file_place: Ints  #: of each file its place in that
    file_row: Ints  #: of each file its row of the tree
    commit_owner: Ints
    commit_place: Ints

    @property
    def is_revert(self) -> Booleans:
        """Which pull requests take another back."""
        return self.reverted > 0


@dataclass(frozen=True)
class _Outline:
    """What must be known of a pull request to tell what others may do with it."""

    key: UInt64
    ended_at: Times
    u: dict[str, Floats]  #: by ``DIMENSIONS``
    blur: Floats
    assigned: Ints | None  #: a scenario's authors
    ai_kind: npt.NDArray[np.int8]
    is_bot: Booleans
    state: Texts
    is_revert: Booleans  #: if there is one to take back
    is_hotfix: Booleans


def decide(
    profile: Profile, members: Members, calendar: Calendar, index: int, tree: Tree, numbers: Ints
) -> Changes:
    """What happens in the pull requests ``numbers`` of the organisation's repository number ``index``."""
    random, repository = profile.random, profile.organisation.repos[index]
    outline = _outline(profile, members, calendar, repository, numbers)
    key, u, ai_kind, state, is_bot = outline.key, outline.u, outline.ai_kind, outline.state, outline.is_bot
    author = authors(profile, members, key, ai_kind) if outline.assigned is None else outline.assigned
    tool = tool_choice(profile, key, ai_kind, outline.ended_at)
    configures = (ai_kind == AI_CODE) & random.chance("configures", CONFIGURES, key)

    lines = lines_changed(ai_kind, u[LINES], outline.blur)
    file_counts = FILES.of(lines, u[LINES], u[FILE_COUNT])
    file_owner, file_place = expand_counts(file_counts)
    commit_owner, commit_place = expand_counts(COMMITS.of(lines, u[LINES], u[COMMIT_COUNT]))

    reverted = np.zeros(len(numbers), dtype=np.int64)
    rows = np.flatnonzero(outline.is_revert)
    reverted[rows] = _originals(profile, members, calendar, repository, numbers[rows], outline.ended_at[rows])
    # A revert is about what the original was about.
    home = homes(tree, random, pull_request_key(repository, np.where(reverted > 0, reverted, numbers)))
    settings = np.where(configures, tool, -1)
    file_row = touched(tree, random, key, home, is_bot, settings, file_owner, file_place)
    return Changes(
        repository=repository,
        number=numbers,
        key=key,
        ended_at=outline.ended_at,
        author=np.where(is_bot, -1, author),
        state=state,
        is_bot=is_bot,
        is_draft=(state == b"open") & ~is_bot & random.chance("draft", DRAFTS, key),
        reverted=reverted,
        is_hotfix=outline.is_hotfix,
        jira_key=_jira_keys(profile, repository, numbers, random.chance("jira", WITH_JIRA, key) & ~is_bot),
        ai_kind=ai_kind,
        tool=tool,
        signed=(ai_kind == AI_CODE) & random.chance("signed", SIGNED, key),
        configures=configures,
        kind=_kinds(random, key, tree.categories[file_row[file_place == 0]], file_counts),
        area=tree.areas[home],
        noun=tree.nouns[home],
        lines=lines,
        file_owner=file_owner,
        file_place=file_place,
        file_row=file_row,
        commit_owner=commit_owner,
        commit_place=commit_place,
    )


def _outline(
    profile: Profile, members: Members, calendar: Calendar, repository: str, numbers: Ints
) -> _Outline:
    random, key = profile.random, pull_request_key(repository, numbers)
    ended_at = calendar.days(numbers) + time_of_day(profile, key)
    u = {name: random.sobol(PULL_REQUEST, numbers, repository, dimension=name) for name in DIMENSIONS}
    assigned = calendar.authors(numbers) if isinstance(calendar, ScenarioCalendar) else None
    blur = random.uniform("blur", key, low=BLUR[0], high=BLUR[1])
    plain = lines_changed(AI_NONE, u[LINES], blur)
    plain_files = FILES.of(plain, u[LINES], u[FILE_COUNT])
    ai_kind = ai_kinds(profile, members, u[KIND], ended_at, plain, plain_files, assigned)
    is_bot, state = _bots(profile, key, ai_kind, u), _states(random, key)
    small = (state == b"merged") & (u[LINES] < SPECIAL_BELOW) & ~is_bot
    special = random.uniform("special", key) * (SPECIAL_BELOW - (BOTS if profile.scenario is None else 0))
    if isinstance(calendar, ScenarioCalendar):
        is_revert = _scenario_reverts(profile, calendar, repository)[numbers - 1]
    else:
        is_revert = small & (special < REVERTS)
    is_hotfix = small & ~is_revert & (special >= REVERTS) & (special < REVERTS + HOTFIXES)
    return _Outline(key, ended_at, u, blur, assigned, ai_kind, is_bot, state, is_revert, is_hotfix)


def _states(random: KeyedRandom, key: UInt64) -> Texts:
    return np.array(list(STATES))[random.pick("state", list(STATES.values()), key)]


def _scenario_reverts(profile: Profile, calendar: ScenarioCalendar, repository: str) -> Booleans:
    """Which of all pull requests of a scenario take another back.

    There are too few to leave their number to chance: whenever the rates of all merged so far add up to the
    next whole number (the first at once), the next small one that is merged, and has what to take back, is a
    revert.
    """
    numbers = np.arange(1, calendar.total + 1)
    key = pull_request_key(repository, numbers)
    merged = _states(profile.random, key) == b"merged"
    # Those of one week end in any order, so all that went before may end later: nothing to take back then.
    ended_at = calendar.days(numbers) + time_of_day(profile, key)
    before = np.maximum(np.arange(len(numbers))[:, None] - np.arange(1, LOOK_BACK + 1), 0)
    has_original = (merged[before] & (ended_at[before] < ended_at[:, None])).any(axis=1)
    lines = profile.random.sobol(PULL_REQUEST, numbers, repository, dimension=LINES)
    small = np.flatnonzero(merged & has_original & (lines < SPECIAL_BELOW) & (numbers > LOOK_BACK))
    rate = profile.scenario.revert_rate.at(profile.progress(calendar.days(numbers)))
    due = np.ceil(np.cumsum(rate * merged)[small])
    is_revert = np.zeros(len(numbers), dtype=bool)
    is_revert[small] = np.diff(due, prepend=0) > 0
    return is_revert


def _originals(
    profile: Profile,
    members: Members,
    calendar: Calendar,
    repository: str,
    numbers: Ints,
    ended_at: Times,
) -> Ints:
    """What reverts take back: a pull request by a person that had been merged; 0 where there is none.

    Nothing takes back a revert, or what put out a fire.
    """
    distance = np.arange(1, LOOK_BACK + 1)
    key = pull_request_key(repository, numbers)[:, None]
    order = np.argsort(profile.random.random_bits("reverted", key, distance), axis=1)
    tried = numbers[:, None] - distance[order]
    candidates, place = np.unique(np.maximum(tried, 1), return_inverse=True)
    outline = _outline(profile, members, calendar, repository, candidates)
    fit = (outline.state == b"merged") & ~(outline.is_bot | outline.is_revert | outline.is_hotfix)
    place = place.reshape(tried.shape)
    fits = fit[place] & (outline.ended_at[place] < ended_at[:, None]) & (tried > 0)
    first = fits.argmax(axis=1)
    rows = np.arange(len(numbers))
    return np.where(fits[rows, first], tried[rows, first], 0)


def _bots(profile: Profile, key: UInt64, ai_kind: npt.NDArray[np.int8], u: dict[str, Floats]) -> Booleans:
    if profile.scenario is not None:
        return np.zeros(len(key), dtype=bool)
    small = [u[dimension] < bound for dimension, bound in BOTS_BELOW.items()]
    among_small = BOTS / float(np.prod(list(BOTS_BELOW.values())))
    return (ai_kind == AI_NONE) & np.all(small, axis=0) & profile.random.chance("bot", among_small, key)


def _jira_keys(profile: Profile, repository: str, numbers: Ints, present: Booleans) -> Texts:
    """Keys of issues, another for every pull request of the organisation."""
    project, first, step = profile.organisation.jira_scheme(repository)
    keys = [f"{project}-{issue}".encode() for issue in (first + numbers * step).tolist()]
    return np.where(present, np.array(keys, dtype="S"), b"")


def _kinds(random: KeyedRandom, key: UInt64, category: Texts, files: Ints) -> Ints:
    """What each change is: what its first file says, or one of the kinds of changes to code."""
    chore, docs, test, ci = (KINDS.index(kind) for kind in ("chore", "docs", "test", "ci"))
    code = random.pick("change", CODE_KINDS, key)
    tests = random.chance("about tests", ABOUT_TESTS, key)
    settings = np.where(random.chance("about builds", 0.5, key), ci, chore)
    return np.select(
        [(category == b"docs") & (files <= DOCS_FILES), (category == b"test") & tests, category == b"config"],
        [docs, test, settings],
        code,
    )
