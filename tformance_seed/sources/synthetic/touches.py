"""The files that generated pull requests touch, and what they change in them."""

from dataclasses import dataclass

import numpy as np

from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Texts, UInt64
from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.ragged import cumulative_sums, split_totals
from tformance_seed.sources.synthetic import intents
from tformance_seed.sources.synthetic.habits import habit
from tformance_seed.sources.synthetic.intents import CHORE, CI, DOCS, FEAT, MOVE, RELEASE, STATUS_SHARES, TEST
from tformance_seed.sources.synthetic.names import Name
from tformance_seed.sources.synthetic.trees import Tree
from tformance_seed.sources.synthetic.words import word_list

#: Possible distances in the tree from one file of a pull request to the next, drawn with equal probability.
#: The greatest distance times the maximum number of files is less than the size of a tree, so no file is
#: repeated.
STEPS = np.array([1, 1, 2, 3])

#: Statuses of a file, in the order of the shares in ``STATUS_SHARES``; the remaining files are modified.
STATUSES = np.array([b"added", b"removed", b"renamed", b"modified"])
ADDED, REMOVED, RENAMED, MODIFIED = range(len(STATUSES))
#: The statuses in a pull request that reverts one.
MIRRORED = np.array([REMOVED, ADDED, RENAMED, MODIFIED])

#: Files with fewer lines are modified only, except for a share of them, which is a habit.
MIN_NEW_LINES = 8

#: How unevenly lines are distributed: a file weighs 1 + UNEVENNESS x u^4, and the first one of a huge change,
#: such as a lock file, HUGE_WEIGHT more.
UNEVENNESS, HUGE_WEIGHT = 300, 6_000

#: Shares of changes with two files or more that touch one of the files that many touch, the index of their
#: area, and a manifest: of features, and of others.
HOT_SHARES, INDEX_SHARES, MANIFEST_SHARES = (0.40, 0.30), (0.25, 0.03), (0.26, 0.15)

#: Smallest number of files beside a manifest and its lock file.
MIN_FILES_WITH_LOCK = 2

#: Share of maintenance that is done at the root.
ROOT_CHORE_SHARE = 0.65

#: Only the first so many files of a pull request come, go or move. What they are about follows from its
#: number times this prime, so that no two are about the same within thousands of pull requests.
NEW_POSITIONS, SPREAD = 32, 7919


@dataclass(frozen=True)
class Subject:
    """What pull requests are about, one row each; a revert is about what it reverts.

    Parameters:
      number, key: of the pull request whose subject it is.
      component: a row of the components of the tree.
      first: at which of the component's sources each begins, in [0, 1).
      kind: an index into ``KINDS``.
      lines: the number of lines changed.
      is_revert: whether it undoes that.
    """

    number: Ints
    key: UInt64
    component: Ints
    first: Floats
    kind: Ints
    lines: Ints
    is_revert: Booleans


@dataclass(frozen=True)
class Touches:
    """The files of pull requests, contiguous for each."""

    owner: Ints
    position: Ints
    row: Ints  #: of the tree
    status: Ints  #: an index into ``STATUSES``
    name: Texts
    category: Texts
    additions: Ints
    deletions: Ints


def touch_files(
    tree: Tree, random: KeyedRandom, subject: Subject, package: Ints, tool: Ints, owner: Ints, position: Ints
) -> Touches:
    """Choose the files that pull requests touch, without repetition in a pull request, and their lines.

    Parameters:
      package: for each pull request, the package that a bot updates in it; -1 if a person opened it.
      tool: for each pull request, the AI tool whose configuration it touches; -1 for none.
      owner, position: for each file, its pull request, and its position in that pull request (ascending).
    """
    counts = np.bincount(owner, minlength=len(subject.key))
    key = subject.key[owner]
    row = _pick_rows(tree, random, subject, counts, owner, position)
    row = _add_shared_files(tree, random, subject, counts, owner, position, row)
    is_last = position == counts[owner] - 1
    row = np.where(is_last & (tool >= 0)[owner], (tree.size + tree.root + tool)[owner], row)
    by_bot = (package >= 0)[owner]
    manifests = tree.dependencies.files
    # An update of one file is one of the lock file.
    which = np.where(
        counts[owner] == 1, tree.dependencies.locks[package[owner]], position % manifests.shape[1]
    )
    row = np.where(by_bot, tree.size + manifests[package[owner], which], row)

    is_brief = np.isin(row, tree.brief) & ~(by_bot & (counts[owner] == 1))
    lines = _split_lines(random, subject, counts, owner, position, is_brief, by_bot)
    habits = [habit(random, tree.repository, name) for name in ("added files", "removed files")]
    shares = np.cumsum((STATUS_SHARES * [*habits, 1.0])[subject.kind][owner].T, axis=0)
    status = (random.uniform("status", key, position) >= shares).sum(axis=0)
    tiny = habit(random, tree.repository, "tiny new files")
    is_tiny = (lines < MIN_NEW_LINES) & ~random.chance("tiny", tiny, key, position)
    status[(row >= tree.size) | is_tiny | (position >= NEW_POSITIONS) | by_bot] = MODIFIED
    share = intents.ADDITIONS[subject.kind][owner]
    modified = intents.additions_of_modified(random, tree.repository, key, position, share, lines)
    modified = np.where(by_bot, (lines + 1) // 2, modified)
    additions = np.select([status == ADDED, status == REMOVED], [lines, 0], modified)
    names, categories = _final_names(tree, subject, owner, row, status)
    undone = subject.is_revert[owner]
    return Touches(
        owner=owner,
        position=position,
        row=row,
        status=np.where(undone, MIRRORED[status], status),
        name=names,
        category=categories,
        additions=np.where(undone, lines - additions, additions),
        deletions=np.where(undone, additions, lines - additions),
    )


def _pick_rows(
    tree: Tree, random: KeyedRandom, subject: Subject, counts: Ints, owner: Ints, position: Ints
) -> Ints:
    """Return a row of the tree for each file: the component's own, then those after it."""
    start, sources, tests = (
        tree.start[subject.component],
        tree.sources[subject.component],
        tree.tests[subject.component],
    )
    first = np.floor(subject.first * sources).astype(np.int64)
    with_tests = (counts >= 2) & (tests > 0)
    share = intents.TESTS[subject.kind] * habit(random, tree.repository, "tests")
    with_tests &= random.chance("tests too", share, subject.key)
    # Tests follow the first source, if any; a change of tests has nothing else until there are none left.
    only_tests = (subject.kind == TEST) & (tests > 0)
    ahead = np.where(only_tests, 0, 1)
    number_of_tests = np.where(only_tests, tests, with_tests.astype(np.int64))
    matching = start + sources + first * tests // np.maximum(sources, 1)
    from_start = position - ahead[owner]
    is_test = (from_start >= 0) & (from_start < number_of_tests[owner])
    test_row = np.where(
        only_tests[owner],
        (start + sources)[owner] + (first[owner] + from_start) % np.maximum(tests[owner], 1),
        matching[owner],
    )
    source = np.where(from_start < 0, position, position - number_of_tests[owner])
    own_sources = np.where(only_tests, 0, sources)[owner]
    own_row = start[owner] + (first[owner] + source) % np.maximum(sources[owner], 1)
    beyond = ~is_test & (source >= own_sources)
    step = STEPS[random.integers("step", subject.key[owner], position, low=0, high=len(STEPS) - 1)]
    walked = cumulative_sums(np.where(beyond, step, 0), counts)
    after = (start + sources + tests - 1)[owner] + walked
    row = np.select([is_test, beyond], [test_row, after % tree.size], own_row)
    u = random.uniform("document", subject.key)
    for kind, some in ((DOCS, tree.documents), (CI, tree.workflows)):
        fits = (subject.kind == kind) & (counts <= len(some))
        if kind == DOCS:  # a component made of documents has its own
            fits &= ~tree.is_docs[subject.component]
        begin = np.floor(u * u * len(some)).astype(np.int64)
        row = np.where(fits[owner], some.start + (begin[owner] + position) % max(1, len(some)), row)
    at_root = (subject.kind == CHORE) & random.chance("at the root", ROOT_CHORE_SHARE, subject.key)
    at_root |= np.isin(subject.kind, (RELEASE, MOVE))
    files_at_root = tree.workflows.start - tree.size
    begin = np.where(subject.kind == CHORE, np.floor(u * u * files_at_root).astype(np.int64), 0)
    lock_and_manifest = 2 if tree.lock > tree.size else 1
    number_at_root = np.select([subject.kind == CHORE, subject.kind == MOVE], [3, lock_and_manifest], 2)
    is_root = at_root[owner] & (position < number_at_root[owner])
    row = np.where(is_root, tree.size + (begin[owner] + position) % files_at_root, row)
    # What is huge is the lock file, beside its manifest; a release says in the changelog what is new.
    of_kind = subject.kind[owner]
    row = np.where(is_root & (of_kind == MOVE), np.where(position == 0, tree.lock, tree.size), row)
    return np.where(is_root & (of_kind == RELEASE) & (position == 1), tree.changelog, row)


def _add_shared_files(
    tree: Tree, random: KeyedRandom, subject: Subject, counts: Ints, owner: Ints, position: Ints, row: Ints
) -> Ints:
    """Let the last files of some changes be those that many changes touch."""
    u = random.uniform("shared file", subject.key)
    is_code = ~np.isin(subject.kind, (DOCS, CI, TEST, RELEASE, MOVE)) & (counts >= 2)
    is_feature = subject.kind == FEAT

    def share(shares: tuple[float, float]) -> Floats:
        values: Floats = np.where(is_feature, *shares)
        return values

    hot = np.where(random.chance("hottest", 0.75, subject.key), tree.hot.start, tree.hot.stop - 1)
    chosen = np.where(u < share(HOT_SHARES) * habit(random, tree.repository, "hot files"), hot, -1)
    if len(tree.indexes) == len(tree.features):
        of_index = random.chance("index", share(INDEX_SHARES), subject.key)
        chosen = np.where(
            (chosen < 0) & of_index, tree.indexes.start + tree.area_of[subject.component], chosen
        )
    often = habit(random, tree.repository, "manifests")
    of_manifest = random.chance("manifest", share(MANIFEST_SHARES) * often, subject.key) & (chosen < 0)
    of_manifest &= subject.kind != CHORE  # which may be about manifests anyhow
    chosen = np.where(of_manifest, tree.size, chosen)
    documented = random.chance("documented", habit(random, tree.repository, "documents"), subject.key)
    begin = np.floor(random.uniform("documented in", subject.key) * len(tree.documents)).astype(np.int64)
    chosen = np.where((chosen < 0) & documented, tree.documents.start + begin, chosen)
    from_end = counts[owner] - 1 - position
    is_free = is_code[owner] & (row < tree.size)
    row = np.where((from_end == 0) & is_free & (chosen[owner] >= 0), chosen[owner], row)
    # What a manifest names is locked by the file beside it.
    with_lock = of_manifest & (counts > MIN_FILES_WITH_LOCK) & (tree.lock > tree.size)
    return np.where((from_end == 1) & is_free & with_lock[owner], tree.lock, row)


def _split_lines(
    random: KeyedRandom,
    subject: Subject,
    counts: Ints,
    owner: Ints,
    position: Ints,
    is_brief: Booleans,
    by_bot: Booleans,
) -> Ints:
    """Return the lines of each file: evenly in a sweep, mostly in the first file of a huge change.

    Parameters:
      is_brief: for each file, whether only a few lines of it change, as in a manifest.
      by_bot: for each file, whether a package is updated: a line of each manifest, and the rest in the lock.
    """
    u = random.uniform("file lines", subject.key[owner], position)
    weights = 1 + np.floor(UNEVENNESS * (u * u) * (u * u)).astype(np.int64)
    weights += np.where((position == 0) & (subject.kind == MOVE)[owner], HUGE_WEIGHT, 0)
    weights = np.where(intents.is_sweep(subject.lines, counts)[owner] | is_brief, 1, weights)
    in_lock = np.maximum(1, subject.lines - 2 * counts + 1)[owner]  # with two lines a manifest
    weights = np.where(by_bot, np.where(is_brief, 1, in_lock), weights)
    return split_totals(subject.lines, counts, weights)


def _final_names(tree: Tree, subject: Subject, owner: Ints, row: Ints, status: Ints) -> tuple[Texts, Texts]:
    """Return names and categories of files: those in the tree, except for files that come, go or move.

    Those are about one thing in each pull request, such as ``invoice-export-wizard``, and told apart by their
    place and, where that is the same, by what they have of it: ``invoice-export-wizard-types``.
    """
    heads, roles = word_list("heads"), word_list("roles")
    names, categories = tree.names[row], tree.categories[row]
    others = np.flatnonzero(status != MODIFIED)
    if not len(others):
        return names, categories
    # Consecutive numbers are spread over all pairs of words, which takes thousands of pull requests.
    number = subject.number[owner[others]]
    first, second = np.divmod(number * SPREAD % (len(heads) * (len(heads) - 1)), len(heads) - 1)
    second += second >= first
    fresh: dict[tuple[int, bytes], None] = {}
    columns = (owner[others], row[others], subject.component[owner[others]], number, first, second)
    for change, place, component, ordinal, *chosen in zip(*(c.tolist() for c in columns), strict=True):
        words = (tree.components[component].noun, *(heads[which] for which in chosen))
        path = tree.places[place].path(Name(words))
        while path in tree.known or (change, path) in fresh:
            ordinal += 1
            path = tree.places[place].path(Name((*words, roles[ordinal % len(roles)])))
        fresh[change, path] = None
    paths = [path for _, path in fresh]
    names = names.astype(f"S{max(names.dtype.itemsize, max(map(len, paths)))}")
    names[others] = paths
    for at, place, path in zip(others.tolist(), row[others].tolist(), paths, strict=True):
        if tree.places[place].varies:
            categories[at] = tree.places[place].category_of(path)
    return names, categories
