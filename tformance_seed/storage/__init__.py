"""Database access: connections, transactions, models, the schema."""
