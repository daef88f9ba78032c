"""Keyed random numbers, low-discrepancy points, distributions, ragged arrays; knows nothing of the rest."""
