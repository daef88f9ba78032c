"""Verify the data in a database: a digest of a team's content, and the rules that it must obey."""

from tformance_seed.verification.content_digest import ContentDigest, TableDigest, digest
from tformance_seed.verification.violations import Violation, check

__all__ = ["ContentDigest", "TableDigest", "Violation", "check", "digest"]
