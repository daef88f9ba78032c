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
from tformance_seed.sampling.arrays import Floats
from tformance_seed.simulate.columns import half_up, with_timestamps
from tformance_seed.sources.records import Columns, Members

#: Time of day at which a day's figures are synchronised.
SYNCED = np.timedelta64(23 * 60 + 30, "m")


def ai_usage(members: Members, rows: slice | npt.NDArray[np.intp], profile: Profile) -> Columns:
    """Return the AIUsageDaily rows of some of the members, ordered by member and then by date.

    ``member`` is the row number among all members. The expected number of rows is
    ``calibration.expected_usage_rows``; in a real history, only members who committed recently use AI tools.

    Parameters:
      rows: the members to include.
    """
    random = profile.random
    days = profile.workdays
    days = days[days + SYNCED < profile.end]
    key, index = members.key[rows], np.arange(len(members))[rows]
    intensity = members.ai_intensity(index[:, None], profile.adoption_at(days))
    uses = random.chance("uses AI on day", DAILY_USE_RATE * intensity, key[:, None], days)
    uses &= members.columns["is_active"][rows][:, None]
    if members.activity is not None:
        uses &= members.activity.commits_before(days, rows).T > 0
    row, day = np.nonzero(uses)

    def per_member(purpose: str, bounds: tuple[float, float]) -> Floats:
        return random.uniform(purpose, key, low=bounds[0], high=bounds[1])[row]

    def per_day(purpose: str, bounds: tuple[float, float]) -> Floats:
        return random.uniform(purpose, key[row], days[day], low=bounds[0], high=bounds[1])

    tools = np.array(list(USAGE_TOOL_SHARES), dtype="S")
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
            "source": tools[random.pick("AI tool", list(USAGE_TOOL_SHARES.values()), key)][row],
            "active_hours": half_up(per_member("AI hours", USAGE_HOURS) * variation, 2),
            "suggestions_shown": shown,
            "suggestions_accepted": accepted,
            "acceptance_rate": (20000 * accepted + shown) // (2 * shown) / 100,  # percent, rounded half up
            "synced_at": synced_at,
        },
        synced_at,
    )
