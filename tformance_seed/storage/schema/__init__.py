"""The application's tables as seeding needs them, and how a database differs from that."""

from tformance_seed.storage.schema.actual import found
from tformance_seed.storage.schema.difference import differences, refusal, stops
from tformance_seed.storage.schema.expected import wanted
from tformance_seed.storage.schema.privileges import missing_rights

__all__ = ["differences", "found", "missing_rights", "refusal", "stops", "wanted"]
