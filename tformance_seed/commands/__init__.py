"""The operations behind both the command line and the Python API."""
