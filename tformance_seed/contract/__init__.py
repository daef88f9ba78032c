"""The application's tables as seeding needs them, and how a database differs from that."""

from tformance_seed.contract.compare import differences, refusal, stops
from tformance_seed.contract.found import found
from tformance_seed.contract.rights import missing_rights
from tformance_seed.contract.shape import wanted

__all__ = ["differences", "found", "missing_rights", "refusal", "stops", "wanted"]
