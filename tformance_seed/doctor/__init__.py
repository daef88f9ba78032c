"""Diagnose a database, without changing anything: its schema, its server's settings and health, workers."""

from tformance_seed.doctor.examination import Report, Section, examine
from tformance_seed.doctor.machine import Overrides
from tformance_seed.doctor.purposes import PURPOSES, Purpose, parse_purpose
from tformance_seed.doctor.remedy_script import sql_script

__all__ = ["PURPOSES", "Overrides", "Purpose", "Report", "Section", "examine", "parse_purpose", "sql_script"]
