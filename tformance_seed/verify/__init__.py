"""Is what is in the database right: a digest of the content, and rules that it must obey."""

from tformance_seed.verify.digest import digest

__all__ = ["digest"]
