"""Where rows are kept: connections, transactions, models, the schema."""
