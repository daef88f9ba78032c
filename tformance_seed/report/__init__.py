"""What is in the database: figures for a terminal, a machine, a document, and a page to show around."""

from tformance_seed.report.figures import Database, Organisation, Report, Table, Usage
from tformance_seed.report.queries import gather

__all__ = ["Database", "Organisation", "Report", "Table", "Usage", "gather"]
