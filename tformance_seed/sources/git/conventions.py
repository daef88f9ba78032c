"""The ways in which forges and bots write the number of a pull request into a commit's message."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

#: A pull request's number.
_NUMBER = r"(?P<number>[1-9]\d{0,8})"

_NUMBERS = re.compile(r"[1-9]\d{0,8}")

#: The numbers that stand for changes whose own number is not in the message, above those of any forge: the
#: first one, and how many there are. Of 30,000 changes, two share one with a probability of 1 in 2,000.
_FIRST_CHANGE, _CHANGES = 10**11, 9 * 10**11

#: A branch, with or without the owner of a fork before it.
_BRANCH = r"(?:[^/\s:]+[/:])?(?P<branch>[^\s,]+)"


class Named(NamedTuple):
    """What a message says about the pull request that it lands."""

    convention: str
    number: int
    title: str
    body: str
    branch: str  #: empty if the message does not give it
    project: str = ""  #: the project in the number's reference, empty if it has none
    others: tuple[int, ...] = ()  #: the further pull requests of a batch


@dataclass(frozen=True)
class Convention:
    """A rule that finds the number of a pull request in a message.

    Parameters:
      name: what the user sees.
      example: a message that follows it.
      word: is in every such subject, or body if that is searched: looking for it first is quicker.
      subject: matches the whole subject, which is the title if there is no group ``title``.
      body: is searched for instead; the subject is the title.
      number: makes the number of the pattern's group ``number``.
      title_in_body: the title is the first line of the body, at least where git itself made the subject; the
        pattern's group ``title`` is kept of it.
      counts_apart: whether its forge numbers by itself: a history that moved has two that count from 1.
    """

    name: str
    example: str
    word: str
    subject: re.Pattern[str] | None = None
    body: re.Pattern[str] | None = None
    number: Callable[[str], int] = int
    title_in_body: re.Pattern[str] | None = None
    counts_apart: bool = False

    def find(self, subject: str, body: str) -> Named | None:
        """Return what a message says; None if it does not follow this convention."""
        if self.word not in (subject if self.subject else body):
            return None
        found = self.subject.fullmatch(subject) if self.subject else self._last(body)
        if not found:
            return None
        groups = found.groupdict()
        branch, body = groups.get("branch") or "", body.strip()
        title = groups.get("title") or (
            subject if self.subject else subject.removesuffix(f" (#{groups['number']})")
        )
        if self.title_in_body and (self.subject or MERGED_BRANCH.fullmatch(subject)):
            title, _, body = body.partition("\n")
            if kept := self.title_in_body.fullmatch(title.strip()):
                title = kept["title"]
            title = title.strip() or READABLE.sub(" ", branch)
        others = tuple(map(int, _NUMBERS.findall(groups.get("others") or "")))
        project = groups.get("project") or ""
        return Named(self.name, self.number(groups["number"]), title, body.strip(), branch, project, others)

    def _last(self, body: str) -> re.Match[str] | None:
        """Return the last match in a body: a change that was picked from another branch has both numbers."""
        return max(self.body.finditer(body), key=re.Match.start, default=None) if self.body else None


#: The subject that git itself gives to a merge.
MERGED_BRANCH = re.compile(r"Merge (?:remote-tracking )?branch .*")

#: Separators between the words in a branch name.
READABLE = re.compile(r"[-_/]+")

_LINE = re.compile(r"(?P<title>.*)")

#: What people leave after the number when they edit a title: a stop or a slip, a mark, a version, an issue.
_EDITED = r"(?:[.,;:!]?\w{0,2}| \[(?:skip[ -]ci|ci[ -]skip)\]|,? (?:close|fix|resolve)\w*:? #\d+| v?\d[\w.]*)"

#: The number at the end of a title. Many projects write the number of an issue there.
SQUASH = Convention(
    "GitHub squash",
    "Title (#12)",
    "(",
    re.compile(rf"(?P<title>.*?)\s*\((?:#|GH-|gh-){_NUMBER}\){_EDITED}\s*"),
)


def _change_number(change_id: str) -> int:
    """Return a number for a change, the same wherever the change is picked to."""
    return _FIRST_CHANGE + int(change_id, 16) % _CHANGES


#: A change on Gerrit, with its number on the server.
GERRIT = Convention(
    "Gerrit",
    "Title\n\nReviewed-on: https://host/c/app/+/12",
    "Reviewed-on: ",
    body=re.compile(rf"^Reviewed-on: https?://\S+/{_NUMBER}/?\s*$", re.MULTILINE),
    counts_apart=True,
)

#: The identity that Gerrit's hook gives to a change. Who has the hook has it in other repositories as well.
CHANGE_ID = Convention(
    "Gerrit Change-Id",
    "Title\n\nChange-Id: I0123456789abcdef0123456789abcdef01234567",
    "Change-Id: I",
    body=re.compile(r"^Change-Id: I(?P<number>[0-9a-f]{40})\s*$", re.MULTILINE),
    number=_change_number,
    counts_apart=True,
)

#: The subject of a merge that Gerrit makes when it submits changes.
SUBMITTED = re.compile(r"""Merge (?:"|changes? |topic ['"]).*""")

#: Every convention, the more specific before the more general.
CONVENTIONS = (
    Convention(
        "Bitbucket Server merge",
        "Merge pull request #12 in PROJ/app from branch to main",
        "Merge pull request #",
        re.compile(rf"Merge pull request #{_NUMBER} in \S+ from {_BRANCH} to \S+"),
        title_in_body=_LINE,
        counts_apart=True,
    ),
    Convention(
        "GitHub merge",
        "Merge pull request #12 from owner/branch",
        "Merge pull request #",
        re.compile(rf"(?:[\w.-]+: )?Merge pull request #{_NUMBER} from {_BRANCH}.*(?<!\d\))"),
        title_in_body=_LINE,
    ),
    Convention(
        "homu",
        "Auto merge of #12 - owner:branch, r=reviewer",
        " merge of #",
        re.compile(rf"(?:Auto|Rollup) merge of #{_NUMBER} - {_BRANCH}.*"),
        title_in_body=_LINE,
    ),
    Convention(
        "bors-ng",
        "Merge #12 #13",
        "Merge #",
        re.compile(rf"(?:Try )?Merge #{_NUMBER}(?P<others>(?: #[1-9]\d{{0,8}})*)"),
        title_in_body=re.compile(r"(?:\d+: )?(?P<title>.*?)(?: r=\S+)?(?: a=\S+)?"),
    ),
    Convention(
        "Bitcoin merge",
        "Merge owner/app#12: Title",
        "Merge ",
        re.compile(rf"Merge (?P<project>[\w.-]+/[\w.-]+)?#{_NUMBER}: (?P<title>.*)"),
    ),
    Convention(
        "Bitbucket Cloud",
        "Merged in branch (pull request #12)",
        "Merged in ",
        re.compile(rf"Merged in {_BRANCH} \(pull request #{_NUMBER}\)"),
        title_in_body=_LINE,
        counts_apart=True,
    ),
    Convention(
        "Bitbucket Server",
        "Pull request #12: Title",
        "Pull request #",
        re.compile(rf"Pull request #{_NUMBER}: (?P<title>.*)"),
        counts_apart=True,
    ),
    Convention(
        "Azure DevOps",
        "Merge pull request 12 from branch into main",
        "Merge pull request ",
        re.compile(rf"Merge pull request {_NUMBER} from {_BRANCH} into \S+"),
        title_in_body=_LINE,
        counts_apart=True,
    ),
    Convention(
        "Gitea",
        "Merge pull request 'Title' (#12) from branch into main",
        "Merge pull request '",
        re.compile(rf"Merge pull request '(?P<title>.*)' \(#{_NUMBER}\) from (?:\S+:)?{_BRANCH} into \S+"),
        counts_apart=True,
    ),
    Convention(
        "Azure DevOps",
        "Merged PR 12: Title",
        "Merged PR ",
        re.compile(rf"Merged PR {_NUMBER}: (?P<title>.*)"),
        counts_apart=True,
    ),
    Convention(
        "merge by hand",
        "Merge PR #12: Title",
        "Merge ",
        re.compile(rf"Merge (?:PR|pull request) #?{_NUMBER}\b(?! from .*\d\)$)[:,]? *(?P<title>.*)"),
    ),
    Convention(
        "GitLab",
        "Title\n\nSee merge request group/app!12",
        "See merge request ",
        body=re.compile(
            r"^See merge request (?:https?://[^\s/]+/)?(?P<project>\S*?)(?:!|/-/merge_requests/)"
            rf"{_NUMBER}\s*$",
            re.MULTILINE,
        ),
        title_in_body=_LINE,
        counts_apart=True,
    ),
    Convention(
        "Gitea",
        "Title (#12)\n\nReviewed-on: https://host/owner/app/pulls/12",
        "Reviewed-on: ",
        body=re.compile(rf"^Reviewed-on: https?://\S+/pulls/{_NUMBER}/?\s*$", re.MULTILINE),
        counts_apart=True,
    ),
    GERRIT,
    Convention(
        "Phabricator",
        "Title\n\nDifferential Revision: https://host/D12",
        "Differential Revision: ",
        body=re.compile(rf"^Differential Revision: (?:https?://\S+/)?D{_NUMBER}\s*$", re.MULTILINE),
        counts_apart=True,
    ),
    SQUASH,
    Convention(
        "Apache",
        "Title\n\nCloses #12 from owner/branch",
        "loses #",
        body=re.compile(
            rf"^(?:This )?[Cc]loses #{_NUMBER} from [\w.-]+[/:](?P<branch>\S+?)\.?\s*$", re.MULTILINE
        ),
    ),
    CHANGE_ID,
)


#: Names of the conventions of forges that number by themselves.
OTHER_FORGES = frozenset(each.name for each in (*CONVENTIONS, CHANGE_ID) if each.counts_apart)


def find_pull_request(subject: str, body: str) -> Named | None:
    """Return what a message says about the pull request that it lands; None if it names none."""
    found = (convention.find(subject, body) for convention in CONVENTIONS)
    return next(filter(None, found), None)
