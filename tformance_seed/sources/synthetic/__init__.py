"""The generated source: a believable organisation without a repository behind it."""

from tformance_seed.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
