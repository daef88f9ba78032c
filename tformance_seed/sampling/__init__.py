"""Keyed random numbers, Sobol sequences, distributions, ragged arrays, apportionment; imports NumPy alone."""
