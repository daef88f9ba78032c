"""Compares generated histories with real ones: the tells of a generated week, and a classifier."""
