"""What every screen and every printed sheet of the page says about the origin of its data."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tformance_seed.report.origins import MEANINGS, SIMULATED, UNKNOWN


class Notice(NamedTuple):
    """A label of a few words, and a sentence."""

    label: str
    text: str


def notice_of_all(origins: Sequence[str]) -> Notice | None:
    """Return the notice about all organisations of a page; None if there are none.

    Parameters:
      origins: the origin of each organisation, one of ``MEANINGS``.
    """
    counts = Counter(origins)
    if not counts:
        return None
    if len(counts) == 1:
        ((origin, count),) = counts.items()
        which = "all organisations" if count > 1 else "the organisation"
        return Notice(_label({origin}), f"The data of {which} on this page {MEANINGS[origin]}.")
    parts = [f"{counts[origin]:,} {_short(origin)}" for origin in MEANINGS if counts[origin]]
    return Notice(_label(set(counts)), f"Organisations: {', '.join(parts)}.")


def _short(origin: str) -> str:
    """Return an origin's meaning without its verb."""
    return MEANINGS[origin].removeprefix("is ").removeprefix("was ")


def notices_of_one() -> dict[str, Notice]:
    """Return the notice about a single organisation, by its origin."""
    return {
        origin: Notice(_label({origin}), f"This organisation's data {meaning}.")
        for origin, meaning in MEANINGS.items()
    }


def _label(origins: set[str]) -> str:
    if origins == {SIMULATED}:
        return "Simulated data"
    return "Data of unknown origin" if origins == {UNKNOWN} else "Partly simulated data"
