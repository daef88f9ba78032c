"""Where an organisation's rows come from, as far as the ledger knows."""

from tformance_seed.sources.registry import DEFAULT_SOURCE
from tformance_seed.storage.models import SeedTeam

#: The source that invents everything.
SYNTHETIC = DEFAULT_SOURCE

#: Everything is simulated; the pull requests are those of a history, and what it lacks is simulated; the team
#: had rows of others when this package adopted it; this package seeded nothing here.
SIMULATED, HISTORY, ADOPTED, UNKNOWN = "simulated", "history", "adopted", "unknown"

#: Origin -> what it means, after "this organisation's data".
MEANINGS = {
    SIMULATED: "is simulated",
    HISTORY: "is a real history with simulated parts",
    ADOPTED: "is simulated in parts, beside rows that were there before",
    UNKNOWN: "was not made by tformance_seed",
}


def find_origin(team: SeedTeam | None) -> str:
    """Return where a team's rows come from: one of ``MEANINGS``.

    Parameters:
      team: the team's entry in the ledger; None if it has none.
    """
    if team is None or team.input_spec is None:
        return UNKNOWN
    if any((team.max_ids_before_adoption or {}).values()):
        return ADOPTED
    return SIMULATED if team.input_spec.get("source") == SYNTHETIC else HISTORY
