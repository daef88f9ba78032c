"""What is decided about generated pull requests before anything is written down."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.draws import Draws, UInt64
from tformance_seed.sources.records import AI_CODE, AI_NONE, Members, pull_request_key, ragged
from tformance_seed.sources.synthetic.assistance import ai_kinds, authors, tool_choice
from tformance_seed.sources.synthetic.calendar import Calendar, ScenarioCalendar, time_of_day
from tformance_seed.sources.synthetic.shape import BLUR, COMMITS, FILES, lines_changed
from tformance_seed.sources.synthetic.trees import Tree, homes, touched

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.bytes_]
Booleans = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]

#: Dimensions of ``Draws.spread`` over the pull requests of a repository: kind of AI, lines, files, commits.
DIMENSIONS = KIND, LINES, FILE_COUNT, COMMIT_COUNT = range(4)

#: Shares of pull requests that were merged, closed without a merge, and are open; of the last, drafts.
STATES, DRAFTS = {b"merged": 0.88, b"closed": 0.08, b"open": 0.04}, 0.25

#: Share of the pull requests without AI that bots open, all of them below these quantiles of lines, files
#: and commits; a scenario tells of people alone.
BOTS, BOTS_BELOW = 0.06, {LINES: 0.5, FILE_COUNT: 0.4, COMMIT_COUNT: 0.5}

#: Shares of merged pull requests that take another back (a scenario has its own), or put out a fire; all of
#: them below this quantile of lines.
REVERTS, HOTFIXES, SPECIAL_BELOW = 0.02, 0.03, 0.5

#: Share of pull requests by people that name a Jira issue in the title, and the issues' first number.
WITH_JIRA, JIRA_FIRST = 0.6, 1000

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
    is_revert: Booleans
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


def decide(
    profile: Profile, members: Members, calendar: Calendar, index: int, tree: Tree, numbers: Ints
) -> Changes:
    """What happens in the pull requests ``numbers`` of the organisation's repository number ``index``."""
    draws, repository = profile.draws, profile.organisation.repos[index]
    key = pull_request_key(repository, numbers)
    ended_at = calendar.days(numbers) + time_of_day(draws, key)
    u = [draws.spread(dimension, "pull-request", numbers, repository) for dimension in DIMENSIONS]

    assigned = calendar.authors(numbers) if isinstance(calendar, ScenarioCalendar) else None
    blur = draws.uniform("blur", key, low=BLUR[0], high=BLUR[1])
    plain = lines_changed(AI_NONE, u[LINES], blur)
    plain_files = FILES.of(plain, u[LINES], u[FILE_COUNT])
    ai_kind = ai_kinds(profile, members, u[KIND], ended_at, plain, plain_files, assigned)
    author = authors(profile, members, key, ai_kind) if assigned is None else assigned
    tool = tool_choice(profile, key, ai_kind, ended_at)
    configures = (ai_kind == AI_CODE) & draws.chance("configures", CONFIGURES, key)

    lines = lines_changed(ai_kind, u[LINES], blur)
    file_counts = FILES.of(lines, u[LINES], u[FILE_COUNT])
    file_owner, file_place = ragged(file_counts)
    commit_owner, commit_place = ragged(COMMITS.of(lines, u[LINES], u[COMMIT_COUNT]))

    is_bot = _bots(profile, key, ai_kind, u)
    state = np.array(list(STATES))[draws.pick("state", list(STATES.values()), key)]
    small = (u[LINES] < SPECIAL_BELOW) & ~is_bot
    is_revert, is_hotfix = _special(profile, key, (state == b"merged") & small, ended_at)

    home = homes(tree, draws, key)
    settings = np.where(configures, tool, -1)
    file_row = touched(tree, draws, key, home, is_bot, settings, file_owner, file_place)
    return Changes(
        repository=repository,
        number=numbers,
        key=key,
        ended_at=ended_at,
        author=np.where(is_bot, -1, author),
        state=state,
        is_bot=is_bot,
        is_draft=(state == b"open") & ~is_bot & draws.chance("draft", DRAFTS, key),
        is_revert=is_revert,
        is_hotfix=is_hotfix,
        jira_key=_jira_keys(profile, index, numbers, draws.chance("jira", WITH_JIRA, key) & ~is_bot),
        ai_kind=ai_kind,
        tool=tool,
        signed=(ai_kind == AI_CODE) & draws.chance("signed", SIGNED, key),
        configures=configures,
        kind=_kinds(draws, key, tree.categories[file_row[file_place == 0]], file_counts),
        area=tree.areas[home],
        noun=tree.nouns[home],
        lines=lines,
        file_owner=file_owner,
        file_place=file_place,
        file_row=file_row,
        commit_owner=commit_owner,
        commit_place=commit_place,
    )


def _bots(profile: Profile, key: UInt64, ai_kind: npt.NDArray[np.int8], u: list[Floats]) -> Booleans:
    if profile.scenario is not None:
        return np.zeros(len(key), dtype=bool)
    small = [u[dimension] < bound for dimension, bound in BOTS_BELOW.items()]
    among_small = BOTS / float(np.prod(list(BOTS_BELOW.values())))
    return (ai_kind == AI_NONE) & np.all(small, axis=0) & profile.draws.chance("bot", among_small, key)


def _special(
    profile: Profile, key: UInt64, candidates: Booleans, ended_at: Times
) -> tuple[Booleans, Booleans]:
    """Reverts and hotfixes, none both: so many of the candidates that the shares of merged ones come true."""
    if profile.scenario is None:
        among, reverts = SPECIAL_BELOW - BOTS, np.full(len(key), REVERTS)
    else:
        among, reverts = SPECIAL_BELOW, profile.scenario.revert_rate.at(profile.progress(ended_at))
    u = profile.draws.uniform("special", key) * among
    is_revert = candidates & (u < reverts)
    return is_revert, candidates & ~is_revert & (u < reverts + HOTFIXES)


def _jira_keys(profile: Profile, index: int, numbers: Ints, present: Booleans) -> Texts:
    """Keys of issues, another for every pull request of the organisation."""
    organisation = profile.organisation
    issues = JIRA_FIRST + numbers * len(organisation.repos) + index
    project = organisation.jira_project_key.encode()
    return np.array(
        [b"%s-%d" % (project, issue) if has else b"" for issue, has in zip(issues, present, strict=True)],
        dtype="S",
    )


def _kinds(draws: Draws, key: UInt64, category: Texts, files: Ints) -> Ints:
    """What each change is: what its first file says, or one of the kinds of changes to code."""
    chore, docs, test, ci = (KINDS.index(kind) for kind in ("chore", "docs", "test", "ci"))
    code = draws.pick("change", CODE_KINDS, key)
    tests = draws.chance("about tests", ABOUT_TESTS, key)
    settings = np.where(draws.chance("about builds", 0.5, key), ci, chore)
    return np.select(
        [(category == b"docs") & (files <= DOCS_FILES), (category == b"test") & tests, category == b"config"],
        [docs, test, settings],
        code,
    )
