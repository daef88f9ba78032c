"""The application's schema as required for seeding, and how a database differs from it."""

from tformance_seed.storage.schema.actual import introspect
from tformance_seed.storage.schema.difference import blocking_findings, differences, raise_if_blocking
from tformance_seed.storage.schema.expected import expected_schema
from tformance_seed.storage.schema.privileges import missing_privileges

__all__ = [
    "blocking_findings",
    "differences",
    "expected_schema",
    "introspect",
    "missing_privileges",
    "raise_if_blocking",
]
