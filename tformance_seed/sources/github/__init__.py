"""Read pull requests from GitHub by way of a cache on disk, or from the cache alone."""
