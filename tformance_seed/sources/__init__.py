"""Sources of pull requests. A source is a folder and a line in ``registry``; it fills ``records``."""
