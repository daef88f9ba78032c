"""Check runs: the results of continuous integration for a pull request."""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.sampling.ragged import expand_counts
from tformance_seed.sampling.sobol import SobolSequence
from tformance_seed.simulate.columns import moments, seconds, with_timestamps
from tformance_seed.simulate.complete_batch import CompleteBatch
from tformance_seed.sources.records import Batch, Columns

#: Checks that a repository may have: name, probability of having it, base duration in seconds. Every
#: repository has the first three; the mean is 4 checks.
CHECKS = (
    ("lint", 1.0, 45),
    ("unit", 1.0, 240),
    ("build", 1.0, 180),
    ("typecheck", 0.4, 70),
    ("e2e", 0.4, 720),
    ("security-scan", 0.2, 100),
)

#: The duration of a run as a multiple of the base duration (minimum and maximum).
DURATION_FACTOR = (0.6, 1.6)

#: The sequence that decides which runs succeed, for each repository and check.
PASSES = SobolSequence("check passes")

#: Share of runs that succeed, unless a scenario sets it.
PASS_RATE = 0.9

#: Conclusions of the other runs, and their probabilities.
FAILURES = np.array([b"failure", b"cancelled", b"timed_out", b"skipped"])
FAILURE_CHANCES = (0.74, 0.12, 0.05, 0.09)

NAMES = np.array([name for name, _, _ in CHECKS], dtype="S")
DURATIONS = np.array([duration for _, _, duration in CHECKS])


def simulate_check_runs(batch: Batch, profile: Profile) -> Columns:
    """Return one run of each of the repository's checks per pull request, completed by the time it ends.

    The columns are ``CHECK_RUN_COLUMNS``. The times of the batch must be filled in.
    """
    prs, random = batch.pull_requests, profile.random
    chances = np.array([chance for _, chance, _ in CHECKS])
    repository = text_keys(prs["repository"])[:, None]
    has = random.chance("repository has check", chances, repository, np.arange(len(CHECKS)))
    owner, _ = expand_counts(has.sum(axis=1))
    check = np.nonzero(has)[1]
    key = prs["key"][owner]
    created, ended = seconds(prs["created_at"])[owner], seconds(prs["ended_at"])[owner]
    low, high = DURATION_FACTOR
    duration = DURATIONS[check] * random.uniform("check duration", key, check, low=low, high=high)
    duration = np.minimum(duration.astype(np.int64), ended - created)
    wait = random.uniform("check start", prs["key"])[owner] * (ended - created - duration)
    started = created + np.floor(wait).astype(np.int64)
    rate = np.full(len(owner), PASS_RATE)
    if profile.scenario is not None:
        rate = profile.scenario.ci_pass_rate.at(profile.progress(prs["ended_at"]))[owner]
    number = prs["number"][owner]
    passed = random.sobol(PASSES, number, repository[owner, 0], check) < rate
    failure = FAILURES[random.pick("check fails", FAILURE_CHANCES, key, check)]
    return {
        "pull_request": owner,
        "github_check_run_id": random.identifier("check run", key, check),
        "name": NAMES[check],
        "status": np.full(len(owner), b"completed"),
        "conclusion": np.where(passed, b"success", failure),
        "started_at": moments(started),
        "completed_at": moments(started + duration),
        "duration_seconds": duration,
    }


def check_runs(batch: CompleteBatch) -> Columns:
    """Return PRCheckRun rows.

    A row's timestamp is when the run completed; if that is unknown, when it started; failing that, when the
    pull request ended.
    """
    rows = batch.check_runs
    ended_at = batch.pull_requests["ended_at"][rows["pull_request"]]
    known = np.where(np.isnat(rows["started_at"]), ended_at, rows["started_at"])
    return with_timestamps(rows, np.where(np.isnat(rows["completed_at"]), known, rows["completed_at"]))
