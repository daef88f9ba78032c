"""What the tasks of each stage do: generate rows, or derive them from the database, and write them."""
