import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.batches import make_members, make_profile
from tformance_seed.simulate.ai_usage import ai_usage
from tformance_seed.simulate.copilot import editors, languages, seats
from tformance_seed.storage.models.usage import (
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
)

WORKDAYS = 65  # of the 91 days of the tests' window


def rows(columns, choose=slice(None)):
    names = sorted(columns)
    return names, list(zip(*(columns[name][choose].tolist() for name in names), strict=True))


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_count_is_within_three_standard_deviations(seed):
    profile = make_profile(seed=seed)
    members = make_members(400, profile)
    used = ai_usage(members, slice(None), profile)
    share, daily = profile.adoption, 0.85
    expected = 400 * WORKDAYS * share * daily
    deviation = np.sqrt(
        400 * (share * (1 - share) * (WORKDAYS * daily) ** 2 + share * WORKDAYS * daily * 0.15)
    )
    assert abs(len(used["date"]) - expected) < 3 * deviation


def test_a_large_organisation_in_which_all_use_ai():
    profile = make_profile()
    profile = dataclasses.replace(profile, adoption=1.0, until=datetime.date(2025, 12, 1))
    used = ai_usage(make_members(4505, profile), slice(None), profile)
    assert abs(len(used["date"]) - 4505 * 66 * 0.85) < 3 * np.sqrt(4505 * 66 * 0.85 * 0.15)


def test_one_member_at_a_time_makes_the_same_rows():
    profile = make_profile()
    members = make_members(30, profile)
    names, together = rows(ai_usage(members, slice(None), profile))
    alone = [rows(ai_usage(members, slice(row, row + 1), profile)) for row in range(30)]
    assert together == [record for _, records in alone for record in records]
    assert {tuple(single) for single, _ in alone} == {tuple(names)}


def test_a_window_slid_by_a_day_keeps_the_older_days():
    profile, tomorrow = make_profile(), make_profile(until=datetime.date(2025, 12, 1))
    members = make_members(30, profile)
    _, before = rows(ai_usage(members, slice(None), profile))
    _, after = rows(ai_usage(members, slice(None), tomorrow))
    first = np.datetime64(tomorrow.since).astype(object)
    day = sorted(ai_usage(members, slice(None), profile)).index("date")
    assert {record for record in before if record[day] >= first} <= set(after)
    assert len(after) > len([record for record in before if record[day] >= first])


def test_rows_are_legal_sorted_and_within_their_bounds():
    profile = make_profile()
    members = make_members(200, profile)
    members.columns["is_active"][::7] = False
    used = ai_usage(members, slice(None), profile)
    assert set(used) == set(AIUsageDaily._meta.fields) - {"id", "team"}
    assert not set(used["member"].tolist()) & set(range(0, 200, 7))
    keys = list(zip(used["member"].tolist(), used["date"].tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert np.is_busday(used["date"]).all()
    assert (used["suggestions_accepted"] <= used["suggestions_shown"]).all()
    assert used["suggestions_shown"].min() >= 70
    assert used["suggestions_shown"].max() <= 520
    assert used["active_hours"].min() >= 1.4
    assert used["active_hours"].max() <= 7.8
    rate = 100 * used["suggestions_accepted"] / used["suggestions_shown"]
    assert used["acceptance_rate"] == pytest.approx(rate, abs=0.00501)
    assert (used["synced_at"] < profile.end).all()
    assert (used["synced_at"].astype("datetime64[D]") == used["date"]).all()


def test_each_member_has_one_tool_mostly_copilot():
    profile = make_profile()
    used = ai_usage(make_members(2000, profile), slice(None), profile)
    tools = {}
    for member, tool in zip(used["member"].tolist(), used["source"].tolist(), strict=True):
        tools.setdefault(member, set()).add(tool)
    assert all(len(names) == 1 for names in tools.values())
    share = sum(names == {b"copilot"} for names in tools.values()) / len(tools)
    assert share == pytest.approx(0.7, abs=0.05)


def test_a_scenario_moves_who_uses_ai():
    profile = make_profile("ai-success")
    used = ai_usage(make_members(1000, profile), slice(None), profile)
    week = (used["date"] - np.datetime64(profile.since)).astype(int) // 7
    share = np.bincount(week) / (1000 * 5 * 0.85)
    assert share[0] == pytest.approx(0.10, abs=0.04)
    assert share[-1] == pytest.approx(0.75, abs=0.05)


days = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 100_000), st.floats(0, 1)), min_size=1, max_size=12
)


def totals(day_list):
    return {
        "date": np.datetime64("2025-11-01") + np.arange(len(day_list)),
        "active": np.array([active for active, _, _ in day_list], dtype=np.int64),
        "shown": np.array([shown for _, shown, _ in day_list], dtype=np.int64),
        "accepted": np.array([int(shown * rate) for _, shown, rate in day_list], dtype=np.int64),
    }


@settings(derandomize=True, max_examples=100, deadline=None)
@given(days)
def test_languages_and_editors_add_up_to_the_day(day_list):
    profile, daily = make_profile(), totals(day_list)
    for columns in (languages(daily, profile), editors(daily, profile)):
        day = (columns["date"] - daily["date"][0]).astype(np.int64)
        for part in ("shown", "accepted"):
            sums = np.bincount(day, weights=columns[f"suggestions_{part}"], minlength=len(day_list))
            assert sums.tolist() == daily[part].tolist()
        assert (columns["suggestions_accepted"] <= columns["suggestions_shown"]).all()
        assert (columns["suggestions_accepted"] >= 0).all()
    sums = np.bincount(day, weights=columns["active_users"], minlength=len(day_list))
    assert sums.tolist() == daily["active"].tolist()


def test_a_day_depends_on_its_own_totals_alone():
    profile = make_profile()
    daily = totals([(10, 1000 + day, 0.3) for day in range(10)])
    alone = {name: column[4:5] for name, column in daily.items()}
    for build in (
        lambda d: languages(d, profile),
        lambda d: editors(d, profile),
        lambda d: seats(d, 20, profile),
    ):
        _, single = rows(build(alone))
        together = build(daily)
        assert single == rows(together, together["date"] == daily["date"][4])[1]


def test_copilot_tables_have_every_field_and_distinct_keys():
    profile = make_profile()
    daily = totals([(300, 60_000, 0.3)] * 5)
    tables = {
        CopilotSeatSnapshot: (seats(daily, 500, profile), "date"),
        CopilotLanguageDaily: (languages(daily, profile), "language"),
        CopilotEditorDaily: (editors(daily, profile), "editor"),
    }
    for model, (columns, key) in tables.items():
        assert set(columns) == set(model._meta.fields) - {"id", "team"}
        keys = list(zip(columns["date"].tolist(), columns[key].tolist(), strict=True))
        assert len(set(keys)) == len(keys) >= 5
    by_language = tables[CopilotLanguageDaily][0]
    assert (by_language["lines_accepted"] <= by_language["lines_suggested"]).all()


def test_seats_are_active_or_idle():
    profile = make_profile()
    snapshot = seats(totals([(0, 0, 0), (5, 900, 0.4), (19, 900, 0.4)]), 20, profile)
    assert (snapshot["active_this_cycle"] + snapshot["inactive_this_cycle"] == snapshot["total_seats"]).all()
    assert snapshot["total_seats"].tolist() == [16, 16, 19]
    assert (snapshot["pending_cancellation"] <= snapshot["inactive_this_cycle"]).all()
