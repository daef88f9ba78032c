"""Times: how long it takes until a pull request gets its first review, and until it ends.

The hours to the first review follow a capped lognormal distribution with the published median and mean. The
hours from there to the end follow another: its mean is the mean cycle time less the mean time to the first
review, and its median is solved for so that the sum of both has the published median. The cycle time of a
pull request without a review is a single draw.
"""

import functools
import math

import numpy as np

from tformance_seed.catalog.calibration import AI_CODE_SHARE, PUBLISHED_BY_AI_KIND, PullRequestFigures
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times, UInt64
from tformance_seed.sampling.distributions import CappedLogNormal, capped_sigma, root
from tformance_seed.sampling.keyed_random import KeyedRandom, text_keys
from tformance_seed.sampling.ragged import expand_counts, group_offsets, sort_within_groups
from tformance_seed.simulate.columns import hours, moments, seconds
from tformance_seed.simulate.reviewers import has_candidates
from tformance_seed.sources.records import AI_REVIEW, PULL_REQUEST, Batch, Columns, Members

#: Maximum hours to the first review: ten days.
MAX_REVIEW_HOURS = 240.0

#: Maximum hours from the first review to the end: thirty days, or this multiple of the mean cycle time if
#: that is more.
MAX_REST_HOURS, MAX_REST_MEANS = 720.0, 24.0

#: Maximum mean hours to the first review, as a share of the mean cycle time, and as a share of the excess of
#: the mean cycle time over the difference of the two medians.
MAX_REVIEW_SHARE, MAX_REVIEW_EXCESS = 0.5, 0.6

#: Share of pull requests that are reviewed, by state; and the share for those opened by bots.
REVIEWED = {b"merged": 0.85, b"closed": 0.55, b"open": 0.85}
REVIEWED_BOT = 0.4

#: Maximum median cycle time as a share of the mean: the mean given for an organisation may be too low for the
#: published median.
MAX_MEDIAN = 0.94

#: Every duration has a minimum, in seconds, which is drawn from this range.
MIN_DURATION = (20, 120)

#: Every duration is multiplied by a factor in this range, so that durations do not pile up at the maximum.
JITTER = (0.9, 1.1)

#: Hours from which durations are moved halfway towards whole days, because people work by day.
WHOLE_DAYS_FROM = 24.0

#: A scenario gives mean hours. Durations are lognormal with that mean and this sigma, capped at CAP times the
#: mean: in a month of a small team, some take more than twice the mean, which its pages call for attention.
SCENARIO_SIGMA, SCENARIO_CAP = 0.6, 6.0
SCENARIO_SHAPE = CappedLogNormal(round(math.exp(-(SCENARIO_SIGMA**2) / 2), 6), 1.0, SCENARIO_CAP)

#: Share of a pull request's commits that are older than the pull request.
COMMITS_BEFORE = 0.55

#: Seconds by which the first commit is older than the pull request: the minimum, and the maximum added to it.
MIN_FIRST_COMMIT, FIRST_COMMIT_SPREAD = 120, 48 * 3600

#: The night: its beginning as seconds of the local day, and its length in seconds. Commits at night are moved
#: to within NIGHT_MARGIN seconds before or after it.
NIGHT, NIGHT_LENGTH, NIGHT_MARGIN = 22 * 3600, 9 * 3600, 3 * 3600


def fill_times(batch: Batch, members: Members, profile: Profile) -> None:
    """Complete the times of a batch, in place.

    Pull requests get ``created_at`` and ``first_review_at`` where they were NaT, and ``merged_at``,
    ``cycle_time_hours`` and ``review_time_hours``. Commits get ``committed_at`` where it was NaT. If reviews
    were observed, the first review is the earliest of them. If ``created_at`` is known, a simulated first
    review divides the known duration in the same proportion as the simulated one. A pull request is not
    opened before ``opened_after``, where that is known.
    """
    prs = batch.pull_requests
    random, key = profile.random, prs["key"]
    first_review_at = prs["first_review_at"]
    if batch.reviews is not None:
        observed = _earliest(batch.reviews, len(key))
        first_review_at = np.where(np.isnat(first_review_at), observed, first_review_at)
    review_known = ~np.isnat(first_review_at)
    reviewed = review_known
    if batch.reviews is None:
        reviewed = review_known | _is_reviewed(prs, members, random)
    before, after = _scenario_hours(prs, reviewed, profile) or _published_hours(prs, reviewed, profile)
    wait = np.where(reviewed, _whole_seconds(before, random, "wait", key), 0)
    rest = _whole_seconds(after, random, "rest", key)

    ended = seconds(prs["ended_at"])
    creation_known = ~np.isnat(prs["created_at"])
    before_review = np.where(review_known, seconds(first_review_at) - wait, ended - wait - rest)
    if "opened_after" in prs:  # not before there was anything to open
        oldest = np.where(np.isnat(prs["opened_after"]), before_review, seconds(prs["opened_after"]))
        late = ~creation_known & ~review_known & (oldest > before_review)
        prs["created_at"] = np.where(late, prs["opened_after"], prs["created_at"])
        creation_known |= late
    created = np.where(creation_known, np.minimum(seconds(prs["created_at"]), ended), before_review)
    wait = np.where(creation_known, (ended - created) * wait // (wait + rest), wait)
    wait = np.where(review_known, seconds(first_review_at) - created, wait)
    merged = prs["state"] == b"merged"
    prs["created_at"] = moments(created)
    prs["first_review_at"] = moments(created + wait, reviewed)
    prs["merged_at"] = moments(ended, merged)
    prs["cycle_time_hours"] = hours(ended - created, merged)
    prs["review_time_hours"] = hours(wait, reviewed)
    _fill_commits(batch, profile)


def _is_reviewed(prs: Columns, members: Members, random: KeyedRandom) -> Booleans:
    """Return which pull requests are reviewed if the source observed no reviews."""
    share = np.select([prs["state"] == state for state in REVIEWED], list(REVIEWED.values()))
    share = np.where(prs["is_bot"], REVIEWED_BOT, share)
    by_people = random.chance("reviewed", share, prs["key"]) & has_candidates(prs, members)
    by_ai: Booleans = prs["ai_kind"] == AI_REVIEW
    return by_people | by_ai


def _earliest(reviews: Columns, size: int) -> Times:
    """Return the time of the earliest review of each of ``size`` pull requests; NaT if it has none."""
    latest = np.iinfo(np.int64).max
    first = np.full(size, latest)
    np.minimum.at(first, reviews["pull_request"], seconds(reviews["submitted_at"]))
    return moments(first, first < latest)


def _whole_seconds(hours: Floats, random: KeyedRandom, purpose: str, key: UInt64) -> Ints:
    """Convert hours to whole seconds, raising each value to its minimum."""
    low, high = MIN_DURATION
    minimum = random.integers(f"reflex/{purpose}", key, low=low, high=high)
    return np.maximum(np.floor(hours * 3600).astype(np.int64), minimum)


def _quantiles(prs: Columns, random: KeyedRandom) -> tuple[Floats, Floats]:
    """Return each pull request's quantiles in the distributions of the two durations."""
    repository, point = text_keys(prs["repository"]), prs.get("point", prs["number"])
    return (
        random.sobol(PULL_REQUEST, point, repository, dimension="first review"),
        random.sobol(PULL_REQUEST, point, repository, dimension="cycle"),
    )


def _scenario_hours(prs: Columns, reviewed: Booleans, profile: Profile) -> tuple[Floats, Floats] | None:
    """Return hours to the first review, and from there to the end, with the scenario's means for the week."""
    if profile.scenario is None:
        return None
    progress = profile.progress(prs["ended_at"])
    review = profile.scenario.review_hours.at(progress)
    cycle = profile.scenario.cycle_hours.at(progress)
    u_review, u_cycle = _quantiles(prs, profile.random)
    before = review * SCENARIO_SHAPE.quantile(u_review)
    return before, np.where(reviewed, cycle - review, cycle) * SCENARIO_SHAPE.quantile(u_cycle)


def _published_hours(prs: Columns, reviewed: Booleans, profile: Profile) -> tuple[Floats, Floats]:
    """Return hours to the first review, and from there to the end, with the published medians and means."""
    organisation = profile.organisation
    scale = 1.0
    if organisation.cycle_hours is not None:
        scale = organisation.cycle_hours / _overall_mean(organisation.ai_found)
    u_review, u_cycle = _quantiles(prs, profile.random)
    before, after = np.zeros(len(u_cycle)), np.zeros(len(u_cycle))
    for kind, published in enumerate(PUBLISHED_BY_AI_KIND):
        rows = prs["ai_kind"] == kind
        review, rest, cycle = _distributions(published, round(published.cycle_hours_mean * scale, 4))
        before[rows] = review.quantile(u_review[rows])
        u = u_cycle[rows]
        after[rows] = np.where(reviewed[rows], rest.quantile(u), cycle.quantile(u))
    low, high = JITTER
    jitter = [
        profile.random.uniform(f"blur/{part}", prs["key"], low=low, high=high) for part in ("wait", "rest")
    ]
    return _towards_whole_days(before * jitter[0]), _towards_whole_days(after * jitter[1])


def _overall_mean(ai_share: float) -> float:
    """Return the mean cycle time, in hours, that the published figures imply for this share of AI."""
    code, review = ai_share * AI_CODE_SHARE, ai_share * (1 - AI_CODE_SHARE)
    none, by_code, by_review = (published.cycle_hours_mean for published in PUBLISHED_BY_AI_KIND)
    return (1 - ai_share) * none + code * by_code + review * by_review


def _towards_whole_days(values: Floats) -> Floats:
    """Return the hours, with long durations moved halfway towards whole days."""
    beyond = values - 24 * np.floor(values / 24 + 0.5)  # difference from the nearest whole number of days
    return np.where(values >= WHOLE_DAYS_FROM, values - beyond / 2, values)


@functools.lru_cache(maxsize=1024)
def _distributions(
    published: PullRequestFigures, cycle_mean: float
) -> tuple[CappedLogNormal, CappedLogNormal, CappedLogNormal]:
    """Return distributions: hours to the first review, from there to the end, and in all without a review."""
    median = min(published.cycle_hours_median, MAX_MEDIAN * cycle_mean)
    excess = cycle_mean - (median - published.review_hours_median)
    review_mean = min(published.review_hours_mean, MAX_REVIEW_SHARE * cycle_mean, MAX_REVIEW_EXCESS * excess)
    review = CappedLogNormal(published.review_hours_median, review_mean, MAX_REVIEW_HOURS)
    cap = max(MAX_REST_HOURS, MAX_REST_MEANS * cycle_mean)
    rest_mean = cycle_mean - review_mean
    rest = CappedLogNormal(_rest_median(review, rest_mean, cap, median), rest_mean, cap)
    return review, rest, CappedLogNormal(median, cycle_mean, cap)


def _rest_median(review: CappedLogNormal, mean: float, cap: float, sum_median: float) -> float:
    """Return the median of a second duration with this mean, such that the sum of both has ``sum_median``.

    P(first + second <= t) is the mean of P(second <= t - r) over the quantiles r of the first.
    """
    left = sum_median - review.quantile((np.arange(2048) + 0.5) / 2048)
    logs = np.log(left[left > 0])

    def above(median: float) -> float:
        """Return the share of sums above ``sum_median`` less one half; it increases with the median."""
        z = (math.log(median) - logs) / (capped_sigma(median, mean, cap) * math.sqrt(2))
        return 0.5 - 0.5 * sum(map(math.erfc, z.tolist())) / len(left)

    return float(f"{root(above, 1e-3 * mean, 0.999 * mean):.5g}")


def _fill_commits(batch: Batch, profile: Profile) -> None:
    """Fill in missing commit times, in row order, with the first commit before the pull request was opened.

    The times are during the day if the pull request's own times allow it.
    """
    commits, prs, random = batch.commits, batch.pull_requests, profile.random
    missing = np.isnat(commits["committed_at"]) & (commits["pull_request"] >= 0)
    if not missing.any():
        return
    starts, counts = group_offsets(commits["pull_request"][missing], len(prs["key"]))
    present = np.flatnonzero(counts)[np.argsort(starts[counts > 0])]  # pull requests in the commits' order
    owner, position = expand_counts(counts[present])
    owner = present[owner]
    key = prs["key"][owner]
    created, ended = (seconds(prs[name])[owner].astype(np.float64) for name in ("created_at", "ended_at"))
    u = random.uniform("first commit", key)
    first = created - MIN_FIRST_COMMIT - np.floor(u * u * u * FIRST_COMMIT_SPREAD)
    margin = random.uniform("first commit by day", key) * NIGHT_MARGIN
    first = move_out_of_night(
        first, np.full(len(first), -np.inf), created - MIN_FIRST_COMMIT, margin, profile.utc_offset
    )
    u = sort_within_groups(np.where(position == 0, 0.0, random.uniform("commit", key, position)), owner)
    when = np.where(
        u < COMMITS_BEFORE,
        first + (created - first) * (u / COMMITS_BEFORE),
        created + (ended - created) * ((u - COMMITS_BEFORE) / (1 - COMMITS_BEFORE)),
    )
    margin = random.uniform("commit by day", key, position) * NIGHT_MARGIN
    when = move_out_of_night(when, first, np.where(position == 0, first, ended), margin, profile.utc_offset)
    when = sort_within_groups(when, owner)
    filled = commits["committed_at"].copy()
    filled[missing] = np.floor(when).astype(np.int64).astype("datetime64[s]")
    commits["committed_at"] = filled


def move_out_of_night(when: Floats, start: Floats, stop: Floats, margin: Floats, offset: int) -> Floats:
    """Return times, with those at night moved to the evening before or the morning after.

    The nearer of the two that is within bounds is chosen; if neither is, the time is not changed.

    Parameters:
      start, stop: the bounds. All times are in seconds since 1970.
      margin: seconds between a moved time and the night.
      offset: seconds by which local clocks are ahead of UTC.
    """
    into_night = (when + offset - NIGHT) % 86400
    at_night = into_night < NIGHT_LENGTH
    evening, morning = when - into_night - 1 - margin, when - into_night + NIGHT_LENGTH + margin
    to_evening, to_morning = at_night & (evening >= start), at_night & (morning <= stop)
    evening_is_nearer = into_night < NIGHT_LENGTH / 2
    return np.select([to_evening & (evening_is_nearer | ~to_morning), to_morning], [evening, morning], when)
