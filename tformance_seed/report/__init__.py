"""Report on the contents of a database: figures as data, and a standalone HTML page with charts of them."""

from tformance_seed.report.figures import Database, Organisation, Report, Table, Usage
from tformance_seed.report.queries import gather

__all__ = ["Database", "Organisation", "Report", "Table", "Usage", "gather"]
