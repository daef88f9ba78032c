"""Organisations, scenarios and published figures: TOML data files and the classes they are loaded into."""

from tformance_seed.catalog.organisations import Organisation, find_organisation, load_organisations
from tformance_seed.catalog.scenarios import Guesses, Ramp, Scenario, load_scenarios

__all__ = [
    "Guesses",
    "Organisation",
    "Ramp",
    "Scenario",
    "find_organisation",
    "load_organisations",
    "load_scenarios",
]
