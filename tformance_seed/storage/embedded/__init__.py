"""A private PostgreSQL in a folder: it starts with its first user and ends with its last."""
