"""Simulate the data that a source did not observe, with one builder per table. Pure functions of keys.

A row appears once all of its events lie within the window, and never changes after that. Columns are named
after the fields of their model. A reference is the row number of the referenced row; -1, NaN, NaT and masked
values mean NULL.
"""
