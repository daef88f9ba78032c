"""Where pull requests come from. A source is one file that yields the shared record (``records``)."""
