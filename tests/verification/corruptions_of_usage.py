"""Ways to break the rules about usage of AI tools; each returns the name of the table where it does."""

import datetime
from collections.abc import Callable
from decimal import Decimal

from tests.support.teams import DAY, MONDAY, Coherent
from tests.verification.rows import change, one
from tformance_seed.storage.models import (
    AIUsageDaily,
    CopilotEditorDaily,
    CopilotLanguageDaily,
    CopilotSeatSnapshot,
    TeamMember,
)

# What is about a single row is tried on a day without use of Copilot, or on use of Cursor, since otherwise
# the figures of the day would no longer add up.

SATURDAY, SUNDAY = datetime.date(2025, 1, 11), datetime.date(2025, 1, 12)


def use_of_cursor() -> AIUsageDaily:
    return AIUsageDaily.select().where(AIUsageDaily.source == "cursor").first()


def accepted_too_many(team: Coherent) -> str:
    return change(one(CopilotLanguageDaily), date=SATURDAY, suggestions_accepted=322)


def accepted_too_many_in_an_editor(team: Coherent) -> str:
    return change(one(CopilotEditorDaily), date=SATURDAY, suggestions_accepted=322)


def accepted_too_many_of_a_member(team: Coherent) -> str:
    return change(use_of_cursor(), suggestions_shown=100, suggestions_accepted=150, acceptance_rate=150)


def wrong_rate(team: Coherent) -> str:
    usage = one(AIUsageDaily)
    return change(usage, acceptance_rate=usage.acceptance_rate + Decimal("0.01"))


def used_on_saturday(team: Coherent) -> str:
    return change(use_of_cursor(), date=SATURDAY)


def used_on_sunday(team: Coherent) -> str:
    return change(use_of_cursor(), date=SUNDAY)


def wrong_sum_of_languages(team: Coherent) -> str:
    return change(one(CopilotLanguageDaily), suggestions_shown=322)


def wrong_sum_of_editors(team: Coherent) -> str:
    return change(one(CopilotEditorDaily), suggestions_accepted=92)


def wrong_users_of_editors(team: Coherent) -> str:
    return change(one(CopilotEditorDaily), active_users=4)


def wrong_active_seats(team: Coherent) -> str:
    return change(one(CopilotSeatSnapshot), active_this_cycle=2, inactive_this_cycle=3)


def activity_on_another_day(team: Coherent) -> str:
    return change(one(TeamMember), copilot_last_activity_at=MONDAY + 30 * DAY)


def connected_without_figures(team: Coherent) -> str:
    CopilotSeatSnapshot.delete().execute()
    return change(team.team, copilot_status="connected")


def seat_too_many(team: Coherent) -> str:
    return change(one(CopilotSeatSnapshot), total_seats=6)


#: Rule -> ways to break it, each of which breaks no other.
OF_USAGE: dict[str, list[Callable[[Coherent], str]]] = {
    "accepted_were_shown": [
        accepted_too_many,
        accepted_too_many_in_an_editor,
        accepted_too_many_of_a_member,
    ],
    "acceptance_rate": [wrong_rate],
    "usage_on_weekdays": [used_on_saturday, used_on_sunday],
    "seats_add_up": [seat_too_many],
    "copilot_days": [
        wrong_sum_of_languages,
        wrong_sum_of_editors,
        wrong_users_of_editors,
    ],
    "seats_in_use": [wrong_active_seats],
    "copilot_activity": [activity_on_another_day],
    "copilot_connected": [connected_without_figures],
}
