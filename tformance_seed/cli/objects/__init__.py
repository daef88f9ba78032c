"""The objects that commands print with ``--json``: their fields with their meaning, and how they are made.

A type here is the one place where a field is named and described. The published JSON Schemas and the tables
of the reference are made from it.
"""
