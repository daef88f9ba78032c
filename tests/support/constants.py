"""Other constants for processes that a test starts: shorter time-outs, so that it need not wait them out."""

import importlib
import json
import os
from pathlib import Path

SITE = Path(__file__).with_name("site")
PROJECT = Path(__file__).parents[2]


def with_constants(constants: dict[str, object]) -> dict[str, str]:
    """Return the environment of a process, and of those that it starts, in which constants differ.

    Parameters:
      constants: module and name below ``tformance_seed``, such as ``execution.broker.HEARTBEAT_TIMEOUT``.

    Raises:
      AttributeError: there is no such constant.
    """
    named = {f"tformance_seed.{name}": value for name, value in constants.items()}
    for name in named:
        module, _, constant = name.rpartition(".")
        getattr(importlib.import_module(module), constant)
    path = os.pathsep.join([str(SITE), str(PROJECT), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path.rstrip(os.pathsep), "TEST_CONSTANTS": json.dumps(named)}
