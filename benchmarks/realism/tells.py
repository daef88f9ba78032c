"""The tells: figures by which a reader knows a generated list of pull requests from a real one."""

import itertools
import math
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.realism.histories import Change, File

#: Pull requests in a week, of titles that are compared, and of a run in which the hottest file is sought.
TITLES, RUN = 100, 14

#: A word that stands for a thing in code or in a product: a name in camel, snake or kebab case, in backticks,
#: with a dot or a slash, with a digit, an option, or in capitals.
IDENTIFIER = re.compile(
    r"`|\w\.\w|\w/\w|\w_\w|[a-z][A-Z]|[A-Z][a-z]+[A-Z]|\b[A-Z]{2,}|\w\(|--\w|\d|[a-z]-[a-z]|@"
)

PREFIX = re.compile(r"^(?:\[?[A-Z][A-Z0-9]+-\d+\]?:?\s*)?(?:([\w./-]+) ?(?:\(([^)]*)\))?!? ?:\s+)?", re.ASCII)

ISSUE = re.compile(r"\s*\([A-Z][A-Z0-9]+-\d+\)$")

WORD = re.compile(r"[A-Za-z][\w'-]*")

#: Words that a frame keeps; all others are slots.
FRAME_WORDS = frozenset(
    {"a", "an", "the", "in", "on", "of", "to", "for", "from", "with", "without", "when", "if", "and", "or"}
    | {"not", "by", "per", "into", "as", "at", "after", "before", "while", "is", "are", "no", "only", "so"}
    | {"that", "this", "its", "via", "under", "during", "between", "out", "up", "instead"}
)

FIX = re.compile(r"fix|bug|correct|prevent|avoid|handle", re.IGNORECASE)
FEATURE = re.compile(r"feat|add|support|introduce|allow|implement|new\b", re.IGNORECASE)
TESTS = re.compile(r"(^|/)(tests?|__tests__|specs?|e2e)/|[._-](test|spec)s?\.|(^|/)test_", re.IGNORECASE)
LOCKS = re.compile(r"(^|/)(package-lock\.json|pnpm-lock\.yaml|[\w-]+\.lockb?|go\.sum|Package\.resolved)$")
DOCS = re.compile(r"\.(md|mdx|rst|txt)$")
WORKFLOWS = re.compile(r"^\.github/")


@dataclass(frozen=True)
class Tell:
    """A figure of a list of pull requests, and the range that the specification asks for."""

    name: str
    figure: Callable[[Sequence[Change]], float]
    low: float = -math.inf
    high: float = math.inf


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else math.nan


def subject(title: str) -> str:
    """Return a title without its issue and its conventional prefix."""
    return ISSUE.sub("", title[PREFIX.match(title).end() :])


def _files(changes: Sequence[Change]) -> list[File]:
    return [file for change in changes for file in change.files]


def _people(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if not change.is_bot]


def with_identifier(changes: Sequence[Change]) -> float:
    return _share([bool(IDENTIFIER.search(subject(change.title))) for change in _people(changes)])


def _per_hundred(
    changes: Sequence[Change], figure: Callable[[list[str]], float], *, least: int = TITLES
) -> float:
    titles = [subject(change.title) for change in _people(changes)]
    parts = [titles[start : start + TITLES] for start in range(0, len(titles), TITLES)]
    return _mean([figure(part) for part in parts if len(part) >= least])


def words_used_once(changes: Sequence[Change]) -> float:
    def once(titles: list[str]) -> float:
        counts = Counter(word.lower() for title in titles for word in WORD.findall(title))
        return _share([count == 1 for count in counts.values()])

    return _per_hundred(changes, once)


def frame(title: str) -> str:
    """Return a title with a slot for each run of words that carry its meaning."""
    words = [word.lower() for word in WORD.findall(subject(title))]
    kept = [words[0], *(word if word in FRAME_WORDS else "_" for word in words[1:])] if words else []
    return " ".join(word for word, _ in itertools.groupby(kept))


def same_frame(changes: Sequence[Change]) -> float:
    """Return how often the most common frame of four words or more comes in a hundred titles."""

    def most(titles: list[str]) -> float:
        frames = Counter(text for text in map(frame, titles) if text.count(" ") >= 3)
        return max(frames.values(), default=0)

    return _per_hundred(changes, most)


def title_length(changes: Sequence[Change]) -> float:
    return _mean([len(subject(change.title).split()) for change in _people(changes)])


def title_length_spread(changes: Sequence[Change]) -> float:
    return statistics.pstdev([len(subject(change.title).split()) for change in _people(changes)] or [0])


def capitalised(changes: Sequence[Change]) -> float:
    return _share([subject(change.title)[:1].isupper() for change in _people(changes)])


def long_names(changes: Sequence[Change]) -> float:
    return _share([len(file.path.rpartition("/")[2]) > 15 for file in _files(changes)])


def depth(changes: Sequence[Change]) -> float:
    return _mean([file.path.count("/") for file in _files(changes)])


def depth_spread(changes: Sequence[Change]) -> float:
    return statistics.pstdev([file.path.count("/") for file in _files(changes)] or [0])


def huge(changes: Sequence[Change]) -> float:
    return _share([change.lines >= 1000 for change in changes])


def many_files(changes: Sequence[Change]) -> float:
    return _share([len(change.files) >= 20 for change in changes])


def tiny_new_files(changes: Sequence[Change]) -> float:
    return _share([file.additions <= 5 for file in _files(changes) if file.status == "a"])


def same_author_again(changes: Sequence[Change]) -> float:
    people = _people(changes)
    return _share([one.author == other.author for one, other in itertools.pairwise(people)])


def author_shares_file(changes: Sequence[Change]) -> float:
    """Return the share of pairs of pull requests of one author, among 30 in a row, that share a file."""
    people, shared = _people(changes), []
    for start in range(0, len(people), 30):
        for one, other in itertools.combinations(people[start : start + 30], 2):
            if one.author == other.author:
                paths = {file.path for file in one.files}
                shared.append(any(file.path in paths for file in other.files))
    return _share(shared)


def hottest_file(changes: Sequence[Change]) -> float:
    """Return in how many of 14 pull requests in a row the most common file is, on average."""
    most = []
    for start in range(0, len(changes) - RUN + 1, RUN):
        counts = Counter(
            path for change in changes[start : start + RUN] for path in {file.path for file in change.files}
        )
        most.append(max(counts.values(), default=0))
    return _mean(most)


def fixes_in_tests_only(changes: Sequence[Change]) -> float:
    fixes = [change for change in _people(changes) if FIX.match(change.title) and change.files]
    return _share([all(TESTS.search(file.path) for file in change.files) for change in fixes])


def fixes_with_tests(changes: Sequence[Change]) -> float:
    fixes = [change for change in _people(changes) if FIX.match(change.title) and change.files]
    return _share([any(TESTS.search(file.path) for file in change.files) for change in fixes])


def _additions(changes: Sequence[Change], kind: re.Pattern[str]) -> float:
    chosen = [change for change in _people(changes) if kind.match(change.title) and change.lines]
    return _mean([sum(file.additions for file in change.files) / change.lines for change in chosen])


def additions_of_fixes(changes: Sequence[Change]) -> float:
    return _additions(changes, FIX)


def additions_of_features(changes: Sequence[Change]) -> float:
    return _additions(changes, FEATURE)


def additions_of_new_files(changes: Sequence[Change]) -> float:
    return _share([file.status == "a" for file in _files(changes)])


def removed_files(changes: Sequence[Change]) -> float:
    return _share([file.status == "d" for file in _files(changes)])


def pure_additions(changes: Sequence[Change]) -> float:
    modified = [file for file in _files(changes) if file.status == "m" and file.additions + file.deletions]
    return _share([file.deletions == 0 for file in modified])


def equal_changes(changes: Sequence[Change]) -> float:
    modified = [file for file in _files(changes) if file.status == "m" and file.additions + file.deletions]
    return _share([file.deletions == file.additions for file in modified])


def single_file(changes: Sequence[Change]) -> float:
    return _share([len(change.files) == 1 for change in changes])


def median_lines(changes: Sequence[Change]) -> float:
    return statistics.median([math.log10(1 + change.lines) for change in changes])


def lines_per_file(changes: Sequence[Change]) -> float:
    return _mean([math.log10(1 + file.additions + file.deletions) for file in _files(changes)])


def with_lock_file(changes: Sequence[Change]) -> float:
    return _share([any(LOCKS.search(file.path) for file in change.files) for change in changes])


def with_tests(changes: Sequence[Change]) -> float:
    return _share([any(TESTS.search(file.path) for file in change.files) for change in changes])


def documentation(changes: Sequence[Change]) -> float:
    return _share([bool(DOCS.search(file.path)) for file in _files(changes)])


def with_workflow(changes: Sequence[Change]) -> float:
    return _share([any(WORKFLOWS.match(file.path) for file in change.files) for change in changes])


def bots(changes: Sequence[Change]) -> float:
    return _share([change.is_bot for change in changes])


def weekend(changes: Sequence[Change]) -> float:
    return _share([change.merged_at.weekday() >= 5 for change in changes])


def in_a_burst(changes: Sequence[Change]) -> float:
    """Return the share of merges that follow another within ten minutes."""
    gaps = [(b.merged_at - a.merged_at).total_seconds() for a, b in itertools.pairwise(changes)]
    return _share([gap < 600 for gap in gaps])


def rising_tickets(changes: Sequence[Change]) -> float:
    """Return the share of pairs of issues of one project, one pull request after the other, that rise."""
    last: dict[str, int] = {}
    rises = []
    for project, number in (change.jira_key.rsplit("-", 1) for change in changes if change.jira_key):
        if project in last:
            rises.append(int(number) > last[project])
        last[project] = int(number)
    return _share(rises)


def length_of_bodies(changes: Sequence[Change]) -> float:
    return statistics.median([math.log10(1 + len(change.body)) for change in _people(changes)] or [0])


def on_new_year(changes: Sequence[Change]) -> float:
    return sum((change.merged_at.month, change.merged_at.day) == (1, 1) for change in changes)


def same_title_start(changes: Sequence[Change]) -> float:
    """Return the share of titles of which another among the last eight has the same rare word."""
    people = _people(changes)
    words = [set(map(str.lower, WORD.findall(subject(change.title)))) for change in people]
    counts = Counter(word for some in words for word in some)
    rare = [{word for word in some if counts[word] <= max(2, 0.02 * len(words))} for some in words]
    return _share(
        [any(some & other for other in rare[max(0, row - 8) : row]) for row, some in enumerate(rare)]
    )


TELLS = (
    Tell("titles of people with an identifier", with_identifier, 0.50, 0.75),
    Tell("words used once in 100 titles", words_used_once, 0.60),
    Tell("most common frame in 100 titles", same_frame, high=2),
    Tell("words of a title", title_length),
    Tell("words of a title, deviation", title_length_spread),
    Tell("titles with a capital", capitalised),
    Tell("titles that share a rare word with one of 8 before", same_title_start),
    Tell("names of files over 15 characters", long_names, 0.15),
    Tell("folders above a file", depth),
    Tell("folders above a file, deviation", depth_spread),
    Tell("changes of 1000 lines or more", huge, high=0.05),
    Tell("changes of 20 files or more", many_files, high=0.06),
    Tell("changes of one file", single_file),
    Tell("lines of a change, median (log10)", median_lines),
    Tell("lines of a file, mean (log10)", lines_per_file),
    Tell("new files of 5 lines or less", tiny_new_files, high=0.15),
    Tell("files that are new", additions_of_new_files),
    Tell("files that are removed", removed_files),
    Tell("modified files without deletions", pure_additions),
    Tell("modified files with as many deletions", equal_changes),
    Tell("same author twice running", same_author_again, 0.18),
    Tell("pairs of an author that share a file", author_shares_file, 0.08),
    Tell("hottest file of 14 changes", hottest_file, 2, 10),
    Tell("fixes with tests only", fixes_in_tests_only, high=0.03),
    Tell("fixes with a test", fixes_with_tests),
    Tell("additions of fixes", additions_of_fixes),
    Tell("additions of features", additions_of_features),
    Tell("changes with a lock file", with_lock_file),
    Tell("changes with a test", with_tests),
    Tell("files that are documentation", documentation),
    Tell("changes with a workflow", with_workflow),
    Tell("changes by bots", bots),
    Tell("merged at a weekend (UTC)", weekend),
    Tell("merged within 10 minutes of another", in_a_burst),
    Tell("issues that are newer than the one before", rising_tickets),
    Tell("length of a body, median (log10)", length_of_bodies),
    Tell("merges of 1 January", on_new_year, high=0),
)
