"""Organisations and scenarios: data files in TOML, and what is read from them."""

from tformance_seed.catalog.organisations import Organisation, find, load
from tformance_seed.catalog.scenarios import SCENARIOS, Guesses, Ramp, Scenario

__all__ = ["SCENARIOS", "Guesses", "Organisation", "Ramp", "Scenario", "find", "load"]
