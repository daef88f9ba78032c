"""Is everything fit: schema, server, its health, workers. Reads, and changes nothing."""

from tformance_seed.doctor.examination import Given, Report, Section, examine
from tformance_seed.doctor.script import script

__all__ = ["Given", "Report", "Section", "examine", "script"]
