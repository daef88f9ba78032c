"""The synthetic source: a believable, generated organisation without a real repository."""

from tformance_seed.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
