"""Is everything fit: schema, server, its health, workers. Reads, and changes nothing."""

from tformance_seed.doctor.examination import Given, Report, Section, examine
from tformance_seed.doctor.script import script
from tformance_seed.doctor.text import as_json, show

__all__ = ["Given", "Report", "Section", "as_json", "examine", "script", "show"]
