"""The git source: pull requests, commits and files from the histories of real repositories."""

from tformance_seed.sources.git.source import GitSource, Repository, default_until, repository_name

__all__ = ["GitSource", "Repository", "default_until", "repository_name"]
