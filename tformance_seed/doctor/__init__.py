"""Diagnose a database, without changing anything: its schema, its server's settings and health, workers."""

from tformance_seed.doctor.examination import Report, Section, examine
from tformance_seed.doctor.machine import Overrides
from tformance_seed.doctor.remedy_script import sql_script

__all__ = ["Overrides", "Report", "Section", "examine", "sql_script"]
