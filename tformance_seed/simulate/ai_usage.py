"""Daily use of AI tools: one row for each member and workday on which the member used one."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import (
    ACCEPTANCE_VARIATION,
    DAILY_USE_RATE,
    USAGE_ACCEPTANCE,
    USAGE_HOURS,
    USAGE_SUGGESTIONS,
    USAGE_TOOL_SHARES,
    USAGE_VARIATION,
)
from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Texts, Times
from tformance_seed.simulate.columns import half_up, with_timestamps
from tformance_seed.sources.records import Columns, Members

#: The tools that members use every day, and their shares of the members.
COPILOT, OTHER_TOOL = (tool.encode() for tool in USAGE_TOOL_SHARES)
TOOL_SHARES = list(USAGE_TOOL_SHARES.values())

#: Time of day at which a day's figures are synchronised.
SYNCED = np.timedelta64(23 * 60 + 30, "m")


def daily_tools(members: Members, index: Ints, profile: Profile) -> Texts:
    """Return the tool that each of some members uses, if they use any."""
    if members.other_tool is not None:
        return np.where(members.other_tool[index], OTHER_TOOL, COPILOT)
    tools = np.array([COPILOT, OTHER_TOOL])
    return tools[profile.random.pick("AI tool", TOOL_SHARES, members.key[index])]


def use_intensity(members: Members, index: Ints, days: Times, profile: Profile) -> Floats:
    """Return how much members use AI tools on each day, from 0 to 1: members x days.

    Members who are not active, or did not commit recently, do not use any.
    """
    intensity = members.ai_intensity(index[:, None], profile.adoption_at(days))
    intensity = intensity * members.columns["is_active"][index][:, None]
    if members.activity is not None:
        intensity = intensity * (members.activity.commits_before(days, index).T > 0)
    return intensity


def days_of_use(members: Members, index: Ints, days: Times, profile: Profile) -> Booleans:
    """Return on which of the workdays ``days`` members use an AI tool: members x days."""
    rate = DAILY_USE_RATE * use_intensity(members, index, days, profile)
    return profile.random.chance("uses AI on day", rate, members.key[index][:, None], days)


def ai_usage(members: Members, rows: slice | npt.NDArray[np.intp], profile: Profile) -> Columns:
    """Return the AIUsageDaily rows of some of the members, ordered by member and then by date.

    ``member`` is the row number among all members. The expected number of rows is
    ``calibration.expected_usage_rows``; in a real history, only members who committed recently use AI tools.

    Parameters:
      rows: the members to include.
    """
    random = profile.random
    days = profile.workdays
    key, index = members.key[rows], np.arange(len(members))[rows]
    row, day = np.nonzero(days_of_use(members, index, days, profile))

    def per_member(purpose: str, bounds: tuple[float, float]) -> Floats:
        return random.uniform(purpose, key, low=bounds[0], high=bounds[1])[row]

    def per_day(purpose: str, bounds: tuple[float, float]) -> Floats:
        return random.uniform(purpose, key[row], days[day], low=bounds[0], high=bounds[1])

    variation = per_day("AI variation", USAGE_VARIATION)
    shown = half_up(per_member("AI suggestions", USAGE_SUGGESTIONS) * variation).astype(np.int64)
    rate = per_member("AI acceptance", USAGE_ACCEPTANCE) * per_day(
        "AI acceptance variation", ACCEPTANCE_VARIATION
    )
    accepted = np.floor(shown * rate).astype(np.int64)
    synced_at = (days[day] + SYNCED).astype("datetime64[s]")
    return with_timestamps(
        {
            "member": index[row],
            "date": days[day],
            "source": daily_tools(members, index, profile)[row],
            "active_hours": half_up(per_member("AI hours", USAGE_HOURS) * variation, 2),
            "suggestions_shown": shown,
            "suggestions_accepted": accepted,
            "acceptance_rate": (20000 * accepted + shown) // (2 * shown) / 100,  # percent, rounded half up
            "synced_at": synced_at,
        },
        synced_at,
    )
