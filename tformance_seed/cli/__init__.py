"""The command line: parse arguments, call operations, print results. Nothing else in the package prints."""
