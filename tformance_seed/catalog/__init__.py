"""Organisations, scenarios and published figures: data files in TOML, and what is read from them."""

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
