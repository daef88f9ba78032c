"""A team's daily rows of the Copilot tables: seats, languages, editors. Each adds up to the day's use."""

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.apportionment import apportion
from tformance_seed.sampling.arrays import Ints
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.simulate.ai_usage import SYNCED
from tformance_seed.simulate.columns import with_timestamps
from tformance_seed.sources.records import Columns

#: Share of members who have a seat.
SEATS = 0.8

#: Maximum share of the idle seats that are about to be cancelled.
MAX_PENDING = 0.1

#: Languages and their usual weights. A team's weights are zero to two times these.
LANGUAGES = {
    "typescript": 30,
    "python": 28,
    "javascript": 14,
    "go": 10,
    "java": 8,
    "yaml": 5,
    "markdown": 3,
    "sql": 2,
}

#: Editors and their usual weights.
EDITORS = {"vscode": 64, "jetbrains": 22, "neovim": 8, "visual_studio": 4, "xcode": 2}

#: Factor by which the shares vary from day to day, in thousandths (minimum and maximum).
DAILY_VARIATION = (850, 1150)

#: Lines per suggestion, in hundredths (minimum and maximum).
LINES = (120, 220)


def seats(daily: Columns, members: npt.ArrayLike, profile: Profile) -> Columns:
    """Return CopilotSeatSnapshot rows, one per day.

    Parameters:
      daily: one row per day: ``date`` (datetime64[D]) and, from the day's Copilot rows of AI usage,
        ``active`` (number of members), ``shown`` and ``accepted`` (sums of suggestions), all int64.
      members: the number of people in the organisation, or the number on each day.
    """
    date, active = daily["date"], daily["active"]
    total = np.maximum(active, np.floor(SEATS * np.asarray(members) + 0.5).astype(np.int64))
    idle = total - active
    pending = np.floor(idle * MAX_PENDING * profile.random.uniform("seats given back", date)).astype(np.int64)
    return _synced(
        {
            "date": date,
            "total_seats": total,
            "active_this_cycle": active,
            "inactive_this_cycle": idle,
            "pending_cancellation": pending,
        }
    )


def languages(daily: Columns, profile: Profile) -> Columns:
    """Return CopilotLanguageDaily rows: each day's suggestions by language (see ``seats``)."""
    weights = _weights(LANGUAGES, "language", daily, profile)
    shown, accepted = _shown_and_accepted(daily, weights, "language", profile)
    day, which = np.nonzero(shown)
    name = np.array(list(LANGUAGES), dtype="S")[which]
    shown, accepted = shown[day, which], accepted[day, which]
    low, high = LINES
    lines = profile.random.integers(
        "suggestion lines", daily["date"][day], text_keys(name), low=low, high=high
    )
    return _synced(
        {
            "date": daily["date"][day],
            "language": name,
            "suggestions_shown": shown,
            "suggestions_accepted": accepted,
            "lines_suggested": shown * lines // 100,
            "lines_accepted": accepted * lines // 100,
        }
    )


def editors(daily: Columns, profile: Profile) -> Columns:
    """Return CopilotEditorDaily rows: each day's suggestions and users by editor (see ``seats``)."""
    weights = _weights(EDITORS, "editor", daily, profile)
    shown, accepted = _shown_and_accepted(daily, weights, "editor", profile)
    users = apportion(daily["active"], weights)
    day, which = np.nonzero(shown + users)
    return _synced(
        {
            "date": daily["date"][day],
            "editor": np.array(list(EDITORS), dtype="S")[which],
            "suggestions_shown": shown[day, which],
            "suggestions_accepted": accepted[day, which],
            "active_users": users[day, which],
        }
    )


def _weights(usual: dict[str, int], what: str, daily: Columns, profile: Profile) -> Ints:
    """Return the whole-number weight of each usual name on each day: days x names."""
    random, names = profile.random, text_keys(list(usual))
    team = np.array(list(usual.values())) * random.integers(f"{what} of team", names, low=0, high=200)
    low, high = DAILY_VARIATION
    return (1 + team) * random.integers(f"{what} of day", daily["date"][:, None], names, low=low, high=high)


def _shown_and_accepted(daily: Columns, weights: Ints, what: str, profile: Profile) -> tuple[Ints, Ints]:
    """Return each day's shown and accepted suggestions by weight, with never more accepted than shown."""
    shown = apportion(daily["shown"], weights)
    low, high = DAILY_VARIATION
    names = np.arange(weights.shape[1])
    variation = profile.random.integers(
        f"{what} acceptance", daily["date"][:, None], names, low=low, high=high
    )
    accepted = apportion(daily["accepted"], shown * variation)
    # In exact proportion to the suggestions shown, no share of those accepted can exceed them.
    fits = (accepted <= shown).all(axis=1, keepdims=True)
    return shown, np.where(fits, accepted, apportion(daily["accepted"], shown))


def _synced(columns: Columns) -> Columns:
    """Return the columns with ``synced_at`` and timestamps added, all late on the row's day."""
    when = (columns["date"] + SYNCED).astype("datetime64[s]")
    return with_timestamps({**columns, "synced_at": when}, when)
