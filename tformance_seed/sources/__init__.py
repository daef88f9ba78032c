"""Sources of pull requests. Each is a folder and a line in ``registry``; it fills the ``records``."""
