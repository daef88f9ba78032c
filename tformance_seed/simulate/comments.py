"""Comments: on a pull request as a whole, or on a line of one of its files."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.ragged import expand_counts, group_offsets
from tformance_seed.simulate.columns import moments, nullable, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Batch, Columns

#: Probabilities of 0, 1, 2... comments: with a review (mean 2.4) and without one (mean 0.4).
REVIEWED = (0.24, 0.20, 0.16, 0.13, 0.09, 0.07, 0.05, 0.03, 0.03)
UNREVIEWED = (0.75, 0.15, 0.07, 0.03)

#: Share of a reviewer's comments that are on a line of a file; the others are on the pull request as a whole.
ON_LINE_SHARE = 0.6

#: Probability that the comment following one on a line is the author's answer to it.
ANSWERED = 0.4

#: Share of comments written by the author if there is no review; bots write the others.
BY_AUTHOR = 0.7

#: Share of comments that were edited, and the longest delay before the edit, in seconds.
EDITED, MAX_EDIT_DELAY = 0.06, 1800

#: Longest delay between a review and the reviewer's comments on lines, in seconds.
MAX_DELAY_ON_LINE = 600

KINDS = np.array([b"issue", b"review"])

#: Texts by kind: about a line, answering a comment, about the whole pull request, and by bots.
BODIES = np.array(
    [
        [
            "Can this be null here?",
            "Nit: the name does not say what it holds.",
            "Should this be covered by a test?",
            "I would move this out of the loop.",
            "Is this still used?",
            "We have something like this already, I think.",
            "What happens when the request times out?",
            "Good find.",
            "Could this be a constant?",
            "Nit: this line is hard to read; two lines would do.",
            "Why not reuse the helper above?",
            "What if the list is empty?",
            "This deserves a comment that says why.",
            "Do we need both checks?",
            "Should this be logged?",
            "I like this.",
            "Is the order of these two important?",
            "Could we return early here?",
            "This looks like a leftover.",
            "Can two of these run at the same time?",
            "Nit: typo.",
            "Does anything else depend on the old behaviour?",
            "Would an index help here?",
        ],
        [
            "Done.",
            "Fixed in the next commit.",
            "Good point, changed.",
            "On purpose: the caller checks it.",
            "I'd rather do that in a follow-up.",
            "Right, removed.",
            "Added a test.",
            "It cannot: the column is not nullable.",
            "Renamed.",
            "Good catch, thank you.",
            "Left as it is; I explained it in a comment.",
            "I tried that, and it got longer.",
            "Opened an issue for it.",
            "Yes, on both counts.",
            "No, that path is gone.",
            "Simplified.",
            "It was like this before; I would not touch it here.",
            "Changed, please have another look.",
            "Let's talk about this one.",
            "Moved.",
            "Split in two.",
            "You are right, it was not needed.",
            "Checked on staging: it makes no difference.",
        ],
        [
            "Rebased on main.",
            "Thanks!",
            "Tested it locally, works.",
            "Is this ready for another look?",
            "Could you add a line to the changelog?",
            "The failing check is unrelated.",
            "Screenshots in the description.",
            "Let's merge this after the release.",
            "Please have another look when you find the time.",
            "Nice clean-up.",
            "Could this be two pull requests?",
            "I will review the rest tomorrow.",
            "Works on my side too.",
            "Does this need a note for support?",
            "Resolved the conflicts.",
            "Should we put this behind a flag?",
            "Ready for review.",
            "Waiting for the other pull request first.",
            "Looks good apart from the comments.",
            "How did you test this?",
            "Happy with this once the checks pass.",
            "Restarted the failed check.",
            "Updated the description.",
        ],
        [
            "Coverage: unchanged.",
            "Preview deployed.",
            "Bundle size: no change.",
            "All commits are signed off.",
            "Coverage: 0.2% more.",
            "This pull request touches files with owners; they were asked for a review.",
            "Preview updated.",
            "No new dependencies.",
            "Coverage: 0.1% less.",
            "Bundle size: 0.3 kB more.",
            "Bundle size: 1.1 kB less.",
            "No licence problems found.",
            "No secrets found.",
            "The branch is up to date with its base.",
            "The branch is behind its base.",
            "Coverage: 0.4% more.",
            "Preview removed.",
            "No accessibility problems found.",
            "Labels were added by the paths of the files.",
            "Translations are complete.",
            "No changes to the public interface.",
            "Benchmarks: no change.",
            "The lock file matches the manifest.",
        ],
    ],
    dtype="S",
)
ON_LINE, ANSWER, ON_PULL_REQUEST, BY_BOT = range(4)


def simulate_comments(batch: Batch, reviews: Columns, profile: Profile) -> Columns:
    """Return the comments of a batch, with ``COMMENT_COLUMNS``.

    All comments are between the creation and the end of their pull request. Reviewers, including bots,
    comment with a review or after it; authors answer. The path of a comment on a line is one of the pull
    request's files.
    """
    prs, files, random = batch.pull_requests, batch.files, profile.random
    size = len(prs["key"])
    review_start, review_count = group_offsets(reviews["pull_request"], size)
    file_start, file_count = group_offsets(files["pull_request"], size)
    drawn = [random.pick("comments", chances, prs["key"]) for chances in (REVIEWED, UNREVIEWED)]
    owner, position = expand_counts(np.where(review_count > 0, *drawn))
    key, author, ended = prs["key"][owner], prs["author"][owner], seconds(prs["ended_at"])[owner]

    def of(start: Ints, count: Ints, purpose: str) -> Ints:
        """Return, for each comment, one of the rows that belong to its pull request."""
        return start[owner] + np.floor(random.uniform(purpose, key, position) * count[owner]).astype(np.int64)

    reviewed = review_count[owner] > 0
    review = of(review_start, review_count, "comment on review")[reviewed]
    commenter = np.where(random.chance("comment by author", BY_AUTHOR, key, position), author, -1)
    start = seconds(prs["created_at"])[owner]
    commenter[reviewed] = reviews["reviewer"][review]
    start[reviewed] = seconds(reviews["submitted_at"])[review]
    on_line = (
        reviewed & (file_count[owner] > 0) & random.chance("comment on line", ON_LINE_SHARE, key, position)
    )
    file = of(file_start, file_count, "comment on file")
    reach = np.where(on_line, np.minimum(MAX_DELAY_ON_LINE, ended - start), ended - start)
    when = start + np.floor(random.uniform("comment", key, position) * reach).astype(np.int64)

    # Only every second comment can be an answer, so a comment being answered is never an answer itself.
    question = np.arange(len(owner)) - position % 2
    answer = (position % 2 == 1) & on_line[question] & (author >= 0) & (commenter[question] != author)
    answer &= random.chance("comment answered", ANSWERED, key, position)
    delay = random.uniform("answer", key, position) * (ended - when[question])
    when = np.where(answer, when[question] + np.floor(delay).astype(np.int64), when)
    commenter = np.where(answer, author, commenter)
    file = np.where(answer, file[question], file)
    on_line |= answer
    kind = np.select([answer, on_line, commenter < 0], [ANSWER, ON_LINE, BY_BOT], ON_PULL_REQUEST)

    identifier = random.identifier("comment", key, position)
    path = np.zeros(len(owner), dtype=files["filename"].dtype)
    path[on_line] = files["filename"][file[on_line]]
    length = np.ones(len(owner), dtype=np.int64)
    length[on_line] += files["additions"][file[on_line]]
    line = 1 + np.floor(random.uniform("comment line", key, position - answer) * length).astype(np.int64)
    edited = random.chance("comment edited", EDITED, key, position)
    delay = random.uniform("edit", key, position) * np.minimum(MAX_EDIT_DELAY, ended - when)
    text = random.integers("comment body", key, position, low=0, high=BODIES.shape[1] - 1)
    return {
        "pull_request": owner,
        "github_comment_id": identifier,
        "author": commenter,
        "body": BODIES[kind, text],
        "comment_type": KINDS[on_line.astype(np.int64)],
        "path": nullable(path, on_line),
        "line": nullable(line, on_line),
        "in_reply_to_id": nullable(identifier[question], answer),
        "comment_created_at": moments(when),
        "comment_updated_at": moments(when + np.floor(delay * edited).astype(np.int64)),
    }


def comments(batch: CompleteBatch) -> Columns:
    """Return PRComment rows; a row's timestamp is the time of the comment."""
    return with_timestamps(batch.comments, batch.comments["comment_created_at"])
