"""Simulate what a source did not observe, one builder a table. Pure functions of keys.

A row appears when its story is complete within the window, and never changes after that. Columns are named
by the fields of their model; a reference is the row of what it refers to, -1 for NULL, as are NaN, NaT and
masked values.
"""
