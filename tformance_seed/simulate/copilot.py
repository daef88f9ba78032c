"""Copilot: each member's last activity, and a team's daily rows of seats, languages and editors.

Languages and editors add up to the day's use.
"""

import numpy as np

from tformance_seed.catalog.profile import Profile
from tformance_seed.sampling.apportionment import apportion
from tformance_seed.sampling.arrays import Ints, Times
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.simulate.ai_usage import (
    COPILOT,
    SYNCED,
    daily_tools,
    days_of_use,
    use_intensity,
)
from tformance_seed.simulate.columns import nullable, with_timestamps
from tformance_seed.sources.records import Columns, Members

#: Share of the seats that are in use (minimum and maximum), fixed for each organisation.
SEAT_USE = (0.52, 0.78)

#: Maximum share of the idle seats that are about to be cancelled.
MAX_PENDING = 0.1

#: Price tiers of a seat, and the shares of organisations that pay them.
PRICE_TIERS = {"individual": 0.1, "business": 0.65, "enterprise": 0.25}

#: Languages beside those of the code, with their weights in thousandths of it; and the smallest share of the
#: code that is not left out.
OTHER_LANGUAGES, MIN_LANGUAGE_SHARE = {"yaml": 40, "markdown": 30}, 0.02

#: Editors with their versions, and the shares of members who use them.
EDITORS = {
    "vscode/1.96.4": 0.14,
    "vscode/1.98.2": 0.21,
    "vscode/1.99.3": 0.29,
    "jetbrains/2024.3.5": 0.14,
    "jetbrains/2025.1": 0.08,
    "neovim/0.10.4": 0.08,
    "visual_studio/17.13.6": 0.04,
    "xcode/16.3": 0.02,
}

#: The editor of rows whose member's editor is not known.
USUAL_EDITOR = b"vscode"

#: The number of days that are searched at once for the last one on which members used Copilot.
DAYS_AT_ONCE = 5

#: Time of day, in seconds, at which a member's last activity may be (minimum and maximum).
ACTIVE_HOURS = (9 * 3600, 18 * 3600)

#: Factor by which the shares vary from day to day, in thousandths (minimum and maximum).
DAILY_VARIATION = (850, 1150)

#: Lines per suggestion, in hundredths (minimum and maximum).
LINES = (120, 220)


def price_tier(profile: Profile) -> str:
    """Return the tier in which the organisation pays for its seats."""
    return list(PRICE_TIERS)[int(profile.random.pick("price tier", list(PRICE_TIERS.values())))]


def last_activity(members: Members, profile: Profile) -> Columns:
    """Return when each member used Copilot last, and in which editor; NULL if not at all in the window."""
    random, days = profile.random, profile.workdays
    last = np.full(len(members), np.datetime64("NaT", "D"))
    pending = _with_copilot(members, profile)
    pending = pending[members.ai_intensity(pending, profile.adoption_at(days).max(initial=0.0)) > 0]
    for stop in range(len(days), 0, -DAYS_AT_ONCE):  # nearly all of them used it in the last few days
        block = days[max(stop - DAYS_AT_ONCE, 0) : stop][::-1]
        uses = days_of_use(members, pending, block, profile)
        found = uses.any(axis=1)
        last[pending[found]] = block[uses[found].argmax(axis=1)]
        pending = pending[~found]
    active = ~np.isnat(last)
    low, high = ACTIVE_HOURS
    second = random.integers("last activity", members.key, last.astype(np.int64), low=low, high=high)
    editor = np.array(list(EDITORS), dtype="S")[random.pick("editor", list(EDITORS.values()), members.key)]
    return {
        "copilot_last_activity_at": last.astype("datetime64[s]") + second.astype("timedelta64[s]"),
        "copilot_last_editor": nullable(editor, active),
    }


def copilot_users(members: Members, days: Times, profile: Profile) -> Ints:
    """Return the number of members who use Copilot at the time of each day, if not on the very day."""
    mondays, week = np.unique(days - (days.astype(np.int64) + 3) % 7, return_inverse=True)
    intensity = use_intensity(members, _with_copilot(members, profile), mondays, profile)
    users: Ints = np.count_nonzero(intensity, axis=0)[week]  # nothing here changes within a week
    return users


def _with_copilot(members: Members, profile: Profile) -> Ints:
    """Return the members who use Copilot, if they use any tool."""
    return np.flatnonzero(daily_tools(members, np.arange(len(members)), profile) == COPILOT)


def seats(daily: Columns, users: Ints, profile: Profile) -> Columns:
    """Return CopilotSeatSnapshot rows, one per day.

    Parameters:
      daily: one row per day: ``date`` (datetime64[D]) and, from the day's Copilot rows of AI usage,
        ``active`` (number of members), ``shown`` and ``accepted`` (sums of suggestions), all int64.
      users: the number of members who use Copilot, on each day.
    """
    date, active = daily["date"], np.maximum(daily["active"], users)
    total = np.ceil(active / profile.random.uniform("seat use", low=SEAT_USE[0], high=SEAT_USE[1]))
    total = total.astype(np.int64)
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
    usual = _usual_languages(profile)
    low, high = DAILY_VARIATION
    variation = profile.random.integers(
        "language of day", daily["date"][:, None], text_keys(list(usual)), low=low, high=high
    )
    weights = np.array(list(usual.values())) * variation
    shown, accepted = _shown_and_accepted(daily, weights, "language", profile)
    day, which = np.nonzero(shown)
    name = np.array(list(usual), dtype="S")[which]
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


def editors(daily: Columns) -> Columns:
    """Return CopilotEditorDaily rows: each day's suggestions and users by editor.

    Parameters:
      daily: one row per day and editor in which members used Copilot: ``date``, ``editor`` (S, with its
        version; empty if it is not known), ``active``, ``shown`` and ``accepted`` (see ``seats``).
    """
    dates, day = np.unique(daily["date"], return_inverse=True)
    names = np.array([_editor_name(text) for text in daily["editor"].tolist()], dtype="S")
    names, editor = np.unique(names, return_inverse=True)
    cells, cell = np.unique(day * len(names) + editor, return_inverse=True)

    def total(figure: str) -> Ints:
        return np.bincount(cell, weights=daily[figure], minlength=len(cells)).astype(np.int64)

    return _synced(
        {
            "date": dates[cells // max(len(names), 1)],
            "editor": names[cells % max(len(names), 1)],
            "suggestions_shown": total("shown"),
            "suggestions_accepted": total("accepted"),
            "active_users": total("active"),
        }
    )


def _editor_name(text: bytes) -> bytes:
    """Return the name of an editor without its version."""
    return text.partition(b"/")[0].lower() or USUAL_EDITOR


def _usual_languages(profile: Profile) -> dict[str, int]:
    """Return the organisation's languages, in lower case, with their weights in thousandths of the code."""
    shares = profile.organisation.all_languages(profile.random)
    code = {name.lower(): share for name, share in shares.items() if share >= MIN_LANGUAGE_SHARE}
    return OTHER_LANGUAGES | {name: round(1000 * share) for name, share in code.items()}


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
