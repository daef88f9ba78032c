"""Fill a tformance database with believable data: fast, repeatably, at any scale."""

__version__ = "0.2.0"
