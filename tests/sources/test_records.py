import numpy as np

from tformance_seed.sources.records import RECENT_WEEKS, Activity

FIRST = np.datetime64("2025-01-06", "D")  # a Monday
WEEK = np.timedelta64(7, "D")


def test_activity_counts_the_whole_weeks_before_a_moment():
    weekly_commits = np.zeros((20, 2), dtype=np.int64)
    weekly_commits[0], weekly_commits[1, 1], weekly_commits[19, 0] = (1, 2), 4, 8
    activity = Activity(FIRST, weekly_commits)

    def at(week: int, day: int = 0) -> list[int]:
        moment = FIRST + week * WEEK + np.timedelta64(day, "D")
        return activity.commits_before(np.array([moment], dtype="datetime64[s]"))[0].tolist()

    assert at(-30) == at(0) == at(0, 6) == [0, 0]  # the week itself is not over
    assert at(1) == [1, 2]
    assert at(2) == at(RECENT_WEEKS, 6) == [1, 6]
    assert at(RECENT_WEEKS + 1) == [0, 4]
    assert at(19, 6) == [0, 0]
    assert at(20) == at(19 + RECENT_WEEKS, 6) == [8, 0]
    assert at(20 + RECENT_WEEKS) == at(500) == [0, 0]


def test_changing_a_result_leaves_the_activity_as_it_is():
    activity = Activity(FIRST, np.ones((4, 3), dtype=np.int64))
    when = np.array([FIRST + 4 * WEEK])
    activity.commits_before(when)[:] = 0
    assert activity.commits_before(when).tolist() == [[4, 4, 4]]
