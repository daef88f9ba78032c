"""Python runs this first in processes that a test starts with other constants."""

import importlib
import json
import os

for name, value in json.loads(os.environ.get("TEST_CONSTANTS", "{}")).items():
    module, _, constant = name.rpartition(".")
    setattr(importlib.import_module(module), constant, value)
