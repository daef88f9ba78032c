"""The git source: what really happened in a repository, out of its history."""

from tformance_seed.sources.git.source import GitSource, Repository, default_until, repository_name

__all__ = ["GitSource", "Repository", "default_until", "repository_name"]
