"""What the tasks of each stage do: make rows, or have the database tell them, and write both."""
