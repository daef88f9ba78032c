"""The git source: what happened in real repositories, from their histories."""

from tformance_seed.sources.git.source import GitSource, Repository, default_until, repository_name

__all__ = ["GitSource", "Repository", "default_until", "repository_name"]
