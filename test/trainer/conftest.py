"""Lets the tests import the trainer's scripts, and writes how each test ended to the file that REPORT names."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "containers/trainer"))
sys.path.insert(0, str(Path(__file__).parent))


def pytest_runtest_logreport(report):
    path = os.environ.get("REPORT")
    # Set-up and tear-down count where they go wrong.
    if path is None or (report.when != "call" and report.outcome == "passed"):
        return
    line = {"test": report.nodeid, "outcome": report.outcome, "detail": str(report.longrepr or "")}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
