"""The facts about generated pull requests that must be known before texts and tables are written."""

from dataclasses import dataclass

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Ints, Texts, Times, UInt64
from tformance_seed.sampling.ragged import expand_counts
from tformance_seed.sources.records import AI_CODE, Members, pull_request_key
from tformance_seed.sources.synthetic.assistance import AIKinds, pick_authors, pick_tools
from tformance_seed.sources.synthetic.calendar import Calendar
from tformance_seed.sources.synthetic.habits import habit
from tformance_seed.sources.synthetic.intents import CHORE, FIX, RELEASE, TEST, pick_kinds
from tformance_seed.sources.synthetic.numbering import issue_keys, points, pull_request_numbers
from tformance_seed.sources.synthetic.outlines import (
    COMMIT_COUNT,
    LINES,
    Outline,
    find_originals,
    make_outline,
    replace_rows,
)
from tformance_seed.sources.synthetic.releases import find_releases
from tformance_seed.sources.synthetic.sizes import COMMITS
from tformance_seed.sources.synthetic.threads import pick_components, thread_of
from tformance_seed.sources.synthetic.touches import Subject, Touches, touch_files
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.updates import Updates, pick_updates
from tformance_seed.sources.synthetic.words import signing_tools

#: Share of people's pull requests that belong to a Jira issue; and the share of those that follow up another
#: of the same day that belong to the same one. No later day then changes an issue.
ISSUE_SHARE, SAME_ISSUE_SHARE = 0.88, 0.5

#: Share of drafts among open pull requests.
DRAFT_SHARE = 0.25

#: Among pull requests whose code AI wrote: the share in which commits say so as well as the body, if the tool
#: has trailers; and the share that touch the tool's configuration.
SIGNED_SHARE, CONFIGURING_SHARE = 0.8, 0.08


@dataclass(frozen=True)
class Changes:
    """Pull requests of one repository, one row each, and the owners of their files and commits."""

    repository: str
    ordinal: Ints  #: the place in the order in which they end, from which everything is derived
    number: Ints
    key: UInt64
    point: Ints  #: the place in the sequence ``PULL_REQUEST``
    ended_at: Times
    author: Ints  #: -1 for bots
    state: Texts
    is_bot: Booleans
    updates: Updates
    is_draft: Booleans
    reverted_ordinal: Ints  #: of the pull request that it reverts; 0 for none
    reverted: Ints  #: its number; 0 for none
    is_hotfix: Booleans
    jira_key: Texts
    names_issue: Booleans  #: in the title
    ai_kind: AIKinds
    used_ai: (
        Booleans | None
    )  #: the author used AI, whether or not a trace is left; None: a source cannot know
    tool: Ints  #: index into ``ai_tools()``, -1 for none
    is_signed: Booleans  #: the tool signs commits
    configures: Booleans  #: the tool's configuration is among the files
    kind: Ints  #: index into ``KINDS``
    release: Ints  #: which of the repository's releases it is; -1 for none
    component: Ints  #: the component that it is about, a row of those of the tree
    lines: Ints
    touches: Touches
    commit_owner: Ints
    commit_position: Ints

    @property
    def subject_key(self) -> UInt64:
        """The key of what each pull request is about: a revert is about what it reverts."""
        return pull_request_key(self.repository, np.where(self.reverted > 0, self.reverted, self.number))

    def first_names(self) -> list[bytes]:
        """Return the name of the first file of each pull request, without its folders."""
        names = self.touches.name[self.touches.position == 0].tolist()
        return [name.rpartition(b"/")[2] for name in names]

    @property
    def is_revert(self) -> Booleans:
        """Which pull requests revert another."""
        return self.reverted > 0


def generate_pull_requests(
    profile: Profile, members: Members, calendar: Calendar, index: int, tree: Tree, numbers: Ints
) -> Changes:
    """Return the facts about some pull requests of one repository.

    Parameters:
      numbers: their ordinals.
      index: the position of the repository in the organisation; ``calendar`` and ``tree`` belong to it.
    """
    random, repository = profile.random, profile.organisation.repos[index]
    outline = make_outline(profile, members, calendar, repository, numbers)
    key, ai_kind, is_bot = outline.key, outline.ai_kind, outline.is_bot
    reverted = np.zeros(len(numbers), dtype=np.int64)
    rows = np.flatnonzero(outline.is_revert)
    reverted[rows] = find_originals(
        profile, members, calendar, repository, numbers[rows], outline.ended_at[rows]
    )
    rows, originals = np.flatnonzero(reverted), reverted[reverted > 0]
    thread = thread_of(random, repository, numbers)
    author = _authors(profile, members, outline, repository, thread)
    about = outline
    subject_author, subject_thread, subject_number = author.copy(), thread.copy(), numbers.copy()
    if len(rows):
        about = make_outline(profile, members, calendar, repository, originals)
        threads = thread_of(random, repository, originals)
        subject_author[rows] = _authors(profile, members, about, repository, threads)
        subject_thread[rows], subject_number[rows] = threads, originals
        about = replace_rows(outline, rows, about)
    component, first = pick_components(
        random, repository, tree, subject_number, subject_thread, subject_author
    )
    release = find_releases(profile, members, calendar, repository, subject_number)
    kind = _kinds(profile, repository, about, tree.is_docs[component], release)
    kind = np.where((kind == TEST) & (tree.tests[component] == 0), CHORE, kind)
    subject = Subject(subject_number, about.key, component, first, kind, about.lines, reverted > 0)

    tool = pick_tools(profile, key, ai_kind, outline.ended_at)
    configures = (ai_kind == AI_CODE) & (reverted == 0) & random.chance("configures", CONFIGURING_SHARE, key)
    updates = pick_updates(tree.dependencies, profile, calendar, repository, numbers, is_bot)
    configured = np.where(configures, tool, -1)
    file_owner, file_position = expand_counts(about.files)
    touches = touch_files(tree, random, subject, updates.package, configured, file_owner, file_position)
    commits = COMMITS.counts(subject.lines, about.u[LINES], outline.u[COMMIT_COUNT])
    commit_owner, commit_position = expand_counts(commits)
    visible, undone = (
        pull_request_numbers(profile, calendar, repository, some) for some in (numbers, originals)
    )
    reverted_number = np.zeros_like(numbers)
    reverted_number[rows] = undone
    linked = random.chance("linked", ISSUE_SHARE, key) & ~is_bot
    named = habit(random, repository, "keys in titles")
    issue = numbers
    if profile.scenario is None:
        together = calendar.days(thread) == calendar.days(numbers)
        together &= random.chance("same issue", SAME_ISSUE_SHARE, key)
        issue = np.where(together, thread, numbers)
    return Changes(
        repository=repository,
        ordinal=numbers,
        number=visible,
        key=pull_request_key(repository, visible),
        point=points(profile, repository, numbers),
        ended_at=outline.ended_at,
        author=np.where(is_bot, -1, author),
        state=outline.state,
        is_bot=is_bot,
        updates=updates,
        is_draft=(outline.state == b"open") & ~is_bot & random.chance("draft", DRAFT_SHARE, key),
        reverted_ordinal=reverted,
        reverted=reverted_number,
        is_hotfix=outline.is_hotfix,
        jira_key=np.where(linked, issue_keys(profile, repository, issue), b""),
        names_issue=linked & random.chance("names issue", named, key),
        ai_kind=ai_kind,
        used_ai=outline.used_ai,
        tool=tool,
        is_signed=signing_tools()[tool] & random.chance("signed", SIGNED_SHARE, key),
        configures=configures,
        kind=subject.kind,
        release=release,
        component=subject.component,
        lines=subject.lines,
        touches=touches,
        commit_owner=commit_owner,
        commit_position=commit_position,
    )


def _authors(profile: Profile, members: Members, outline: Outline, repository: str, thread: Ints) -> Ints:
    """Return the author of each pull request; those of a thread have the same."""
    if outline.assigned_author is not None:
        return outline.assigned_author
    return pick_authors(profile, members, pull_request_key(repository, thread), outline.ai_kind)


def _kinds(profile: Profile, repository: str, outline: Outline, is_docs: Booleans, release: Ints) -> Ints:
    """Return the kind of each change.

    Parameters:
      is_docs: whether its component is made of documents.
      release: which of the repository's releases it is; -1 for none.
    """
    kind = pick_kinds(profile.random, repository, outline.key, outline.lines, outline.files, is_docs)
    return np.select([outline.is_bot, outline.is_hotfix, release >= 0], [CHORE, FIX, RELEASE], kind)
