"""A week of an organisation is shown as it is seeded."""

import datetime

import pytest

from tformance_seed.commands.week import BOT, show_week
from tformance_seed.errors import InputError
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request

NOW = datetime.datetime(2026, 3, 19, 12, tzinfo=datetime.UTC)  # a Thursday


def test_any_day_of_a_week_shows_the_pull_requests_that_a_longer_window_has():
    monday, shown = show_week("polar", datetime.date(2025, 10, 8), 42, None, NOW)
    assert monday == datetime.date(2025, 10, 6)
    assert show_week("polar", datetime.date(2025, 10, 12), 42, None, NOW) == (monday, shown)
    assert [each.ended_at for each in shown] == sorted(each.ended_at for each in shown)
    request = Request(organisations=["polar"], days=60, until=datetime.date(2025, 10, 31), seed=42)
    (plan,) = make_plans(request, NOW)
    titles = {
        (repository.decode(), number): title.decode()
        for batch in plan.source.batches(0, plan.source.length)
        for repository, number, title in zip(
            batch.pull_requests["repository"].tolist(),
            batch.pull_requests["number"].tolist(),
            batch.pull_requests["title"].tolist(),
            strict=True,
        )
    }
    assert len(shown) > 20
    for each in shown:
        assert titles[each.repository, each.number] == each.title
        assert each.additions == sum(file.additions for file in each.files)
        assert each.commits
    assert {each.state for each in shown} == {"merged", "closed", "open"}
    assert BOT in {each.author for each in shown}


def test_without_a_day_it_is_the_last_week_that_is_over():
    assert show_week("resend", None, 42, None, NOW)[0] == datetime.date(2026, 3, 9)


def test_of_the_week_that_is_not_over_the_days_that_are_over_are_shown():
    monday, shown = show_week("polar", datetime.date(2026, 3, 18), 42, None, NOW)
    assert monday == datetime.date(2026, 3, 16)
    assert max(each.ended_at for each in shown).date() <= datetime.date(2026, 3, 18)


def test_a_day_that_is_not_over_and_an_unknown_organisation_are_input_errors():
    with pytest.raises(InputError, match="--week 2026-03-19: nothing is dated later than now"):
        show_week("polar", datetime.date(2026, 3, 19), 42, None, NOW)
    with pytest.raises(InputError, match="no organisation 'nope'"):
        show_week("nope", None, 42, None, NOW)
