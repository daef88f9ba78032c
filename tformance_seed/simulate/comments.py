"""Comments: on a pull request as a whole, or on a line of one of its files."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.ragged import expand_counts, group_offsets
from tformance_seed.simulate.columns import moments, nullable, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.simulate.discussion import ANSWER, BY_BOT, ON_LINE, ON_PULL_REQUEST, comment_texts
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
    category = np.zeros(len(owner), dtype=files["file_category"].dtype)
    category[on_line] = files["file_category"][file[on_line]]
    return {
        "pull_request": owner,
        "github_comment_id": identifier,
        "author": commenter,
        "body": comment_texts(random, key, position, kind, path, category),
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
