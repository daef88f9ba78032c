"""The generated source: a believable organisation that no repository stands behind."""

from tformance_seed.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
