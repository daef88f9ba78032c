"""Keyed random numbers, Sobol sequences, distributions, ragged arrays, apportionment; needs only NumPy."""
