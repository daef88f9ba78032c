"""The stages of seeding: their tasks generate rows, or derive them from the database, and write them."""
