"""Daily use of AI tools: one row for each member and workday with any."""

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
from tformance_seed.simulate.columns import half_up, with_timestamps
from tformance_seed.sources.records import Columns, Members

#: When a day's figures come in.
SYNCED = np.timedelta64(23 * 60 + 30, "m")


def ai_usage(members: Members, rows: slice | npt.NDArray[np.intp], profile: Profile) -> Columns:
    """The days on which some of the members used AI tools, by member and then by date.

    ``member`` is the row among all members. In expectation there are members x workdays x adoption x 0.85;
    of a real history, only members count who committed recently.
    """
    random = profile.random
    days = profile.workdays
    key, draw = members.key[rows], members.adoption_threshold[rows]
    uses = (draw[:, None] < profile.adoption_at(days)) & members.columns["is_active"][rows][:, None]
    uses &= random.chance("uses AI on day", DAILY_USE_RATE, key[:, None], days)
    if members.activity is not None:
        uses &= members.activity.before(days, rows).T > 0
    row, day = np.nonzero(uses)

    def fixed(purpose: str, bounds: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return random.uniform(purpose, key, low=bounds[0], high=bounds[1])[row]

    def daily(purpose: str, bounds: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return random.uniform(purpose, key[row], days[day], low=bounds[0], high=bounds[1])

    tools = np.array(list(USAGE_TOOL_SHARES), dtype="S")
    variation = daily("AI variation", USAGE_VARIATION)
    shown = half_up(fixed("AI suggestions", USAGE_SUGGESTIONS) * variation).astype(np.int64)
    rate = fixed("AI acceptance", USAGE_ACCEPTANCE) * daily("AI acceptance variation", ACCEPTANCE_VARIATION)
    accepted = np.floor(shown * rate).astype(np.int64)
    return with_timestamps(
        {
            "member": np.arange(len(members))[rows][row],
            "date": days[day],
            "source": tools[random.pick("AI tool", list(USAGE_TOOL_SHARES.values()), key)][row],
            "active_hours": half_up(fixed("AI hours", USAGE_HOURS) * variation, 2),
            "suggestions_shown": shown,
            "suggestions_accepted": accepted,
            "acceptance_rate": (20000 * accepted + shown) // (2 * shown) / 100,
            "synced_at": (days[day] + SYNCED).astype("datetime64[s]"),
        },
        (days[day] + SYNCED).astype("datetime64[s]"),
    )
