import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.batches import make_members, make_profile
from tformance_seed.catalog.profile import DAY
from tformance_seed.simulate.ai_usage import ai_usage
from tformance_seed.simulate.copilot import copilot_users, editors, languages, last_activity, seats
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
    columns = languages(daily, profile)
    day = (columns["date"] - daily["date"][0]).astype(np.int64)
    for part in ("shown", "accepted"):
        sums = np.bincount(day, weights=columns[f"suggestions_{part}"], minlength=len(day_list))
        assert sums.tolist() == daily[part].tolist()
    assert (columns["suggestions_accepted"] <= columns["suggestions_shown"]).all()
    assert (columns["suggestions_accepted"] >= 0).all()


def test_an_editor_has_the_figures_of_its_users():
    day = np.datetime64("2025-11-03")
    used = [
        (day, b"vscode/1.98.2", 1, 300, 90),
        (day, b"VSCode/1.99.3", 2, 500, 100),
        (day, b"neovim/0.10.4", 1, 7, 7),
        (day + DAY, b"", 1, 50, 9),
    ]
    names = ("date", "editor", "active", "shown", "accepted")
    found = editors(dict(zip(names, map(np.array, zip(*used, strict=True)), strict=True)))
    columns = ("date", "editor", "active_users", "suggestions_shown", "suggestions_accepted")
    assert list(zip(*(found[name].tolist() for name in columns), strict=True)) == [
        (day, b"neovim", 1, 7, 7),
        (day, b"vscode", 3, 800, 190),
        (day + DAY, b"vscode", 1, 50, 9),
    ]


def test_the_last_activity_is_the_last_use_of_copilot():
    profile = make_profile()
    members = make_members(60, profile)
    used = ai_usage(members, slice(None), profile)
    found = last_activity(members, profile)
    copilot = used["source"] == b"copilot"
    for row in range(60):
        days = used["date"][copilot & (used["member"] == row)]
        assert found["copilot_last_editor"].mask[row] == (not len(days))
        last = found["copilot_last_activity_at"][row]
        assert last.astype("M8[D]") == days.max() if len(days) else np.isnat(last)
    assert 10 < np.isnat(found["copilot_last_activity_at"]).sum() < 50
    editor = found["copilot_last_editor"].compressed().tolist()
    assert {text.partition(b"/")[0] for text in editor} > {b"vscode"}


def test_no_more_use_copilot_on_a_day_than_at_the_time():
    for profile in (make_profile(), make_profile("ai-success")):
        members = make_members(40, profile)
        used = ai_usage(members, slice(None), profile)
        days, on_day = np.unique(used["date"][used["source"] == b"copilot"], return_counts=True)
        assert (copilot_users(members, days, profile) >= on_day).all()
        assert (copilot_users(members, days, profile) < 40).all()


def test_a_day_depends_on_its_own_totals_alone():
    profile = make_profile()
    daily = totals([(10, 1000 + day, 0.3) for day in range(10)])
    alone = {name: column[4:5] for name, column in daily.items()}
    for build in (
        lambda d: languages(d, profile),
        lambda d: seats(d, d["active"], profile),
    ):
        _, single = rows(build(alone))
        together = build(daily)
        assert single == rows(together, together["date"] == daily["date"][4])[1]


def test_copilot_tables_have_every_field_and_distinct_keys():
    profile = make_profile()
    daily = totals([(300, 60_000, 0.3)] * 5)
    tables = {
        CopilotSeatSnapshot: (seats(daily, daily["active"], profile), "date"),
        CopilotLanguageDaily: (languages(daily, profile), "language"),
        CopilotEditorDaily: (editors(daily | {"editor": np.full(5, b"xcode/16.3")}), "editor"),
    }
    for model, (columns, key) in tables.items():
        assert set(columns) == set(model._meta.fields) - {"id", "team"}
        keys = list(zip(columns["date"].tolist(), columns[key].tolist(), strict=True))
        assert len(set(keys)) == len(keys) >= 5
    by_language = tables[CopilotLanguageDaily][0]
    assert (by_language["lines_accepted"] <= by_language["lines_suggested"]).all()


@pytest.mark.parametrize("seed", range(20))
def test_half_to_four_fifths_of_the_seats_are_active(seed):
    users = np.arange(1, 200)
    snapshot = seats(totals([(1, 900, 0.4)] * len(users)), users, make_profile(seed=seed))
    total, active = snapshot["total_seats"], snapshot["active_this_cycle"]
    idle = snapshot["inactive_this_cycle"]
    assert (active + idle == total).all()
    assert active.tolist() == users.tolist()
    assert (active / total).min() >= 0.5
    assert (active / total).max() <= 0.8
    assert (snapshot["pending_cancellation"] <= idle).all()
