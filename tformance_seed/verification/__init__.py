"""Is what is in the database right: a digest of the content, and rules that it must obey."""

from tformance_seed.verification.digest import Content, TableDigest, digest
from tformance_seed.verification.invariants import Violation, check

__all__ = ["Content", "TableDigest", "Violation", "check", "digest"]
