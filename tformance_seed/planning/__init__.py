"""Turn a request into plans."""
