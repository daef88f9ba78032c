"""Daily use of AI tools: one row for each member and workday with any."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.organisations import WORKED
from tformance_seed.catalog.profile import Profile
from tformance_seed.simulate.columns import half_up, stamped
from tformance_seed.sources.records import Columns, Members

#: Tools with their shares of the members.
TOOLS = np.array([b"copilot", b"cursor"])
TOOL_SHARES = (0.7, 0.3)

#: Of each member, fixed: hours and suggestions of a day, share of suggestions accepted (least, most).
HOURS, SUGGESTIONS, ACCEPTANCE = (2.0, 6.0), (100.0, 400.0), (0.25, 0.45)

#: Of each day: one factor for hours and suggestions; another for the acceptance.
VARIATION, ACCEPTANCE_VARIATION = (0.7, 1.3), (0.9, 1.1)

#: When a day's figures come in.
SYNCED = np.timedelta64(23 * 60 + 30, "m")


def ai_usage(members: Members, rows: slice | npt.NDArray[np.intp], profile: Profile) -> Columns:
    """The days on which some of the members used AI tools, by member and then by date.

    ``member`` is the row among all members. In expectation there are members x workdays x adoption x 0.85;
    of a real history, only members count who committed recently.
    """
    random = profile.random
    days = profile.days[np.is_busday(profile.days)]
    key, draw = members.key[rows], members.adoption_threshold[rows]
    uses = (draw[:, None] < profile.adoption_at(days)) & members.columns["is_active"][rows][:, None]
    uses &= random.chance("uses AI on day", WORKED, key[:, None], days)
    if members.activity is not None:
        uses &= members.activity.before(days, rows).T > 0
    row, day = np.nonzero(uses)

    def fixed(purpose: str, bounds: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return random.uniform(purpose, key, low=bounds[0], high=bounds[1])[row]

    def daily(purpose: str, bounds: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return random.uniform(purpose, key[row], days[day], low=bounds[0], high=bounds[1])

    variation = daily("AI variation", VARIATION)
    shown = half_up(fixed("AI suggestions", SUGGESTIONS) * variation).astype(np.int64)
    rate = fixed("AI acceptance", ACCEPTANCE) * daily("AI acceptance variation", ACCEPTANCE_VARIATION)
    accepted = np.floor(shown * rate).astype(np.int64)
    return stamped(
        {
            "member": np.arange(len(members))[rows][row],
            "date": days[day],
            "source": TOOLS[random.pick("AI tool", TOOL_SHARES, key)][row],
            "active_hours": half_up(fixed("AI hours", HOURS) * variation, 2),
            "suggestions_shown": shown,
            "suggestions_accepted": accepted,
            "acceptance_rate": (20000 * accepted + shown) // (2 * shown) / 100,
            "synced_at": (days[day] + SYNCED).astype("datetime64[s]"),
        },
        (days[day] + SYNCED).astype("datetime64[s]"),
    )
