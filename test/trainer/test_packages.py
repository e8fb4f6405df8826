"""Packages that the scripts import are named, by pins that are those of this Python."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

TRAINER = Path(__file__).parent.parent.parent / "containers/trainer"
# The half of boto3 that its errors are of; boto3 pins it.
OF_ANOTHER = {"botocore": "boto3"}


def imported(scripts: list[Path]) -> set[str]:
    """Top-level names of what is imported anywhere in them, but for Python's own and their own."""
    names: set[str] = set()
    for script in scripts:
        for node in ast.walk(ast.parse(script.read_text())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module or "")
    own = {path.stem for path in TRAINER.iterdir()}
    return {name.split(".")[0] for name in names} - own - sys.stdlib_module_names


def test_each_package_that_a_script_imports_is_pinned_for_it_and_installed_as_pinned():
    project = tomllib.loads((TRAINER / "pyproject.toml").read_text())["project"]
    distributions = packages_distributions()
    training = [path for path in TRAINER.rglob("*.py") if path.name != "critic.py"]
    for extra, scripts in (("train", training), ("critic", [TRAINER / "critic.py"])):
        pins = dict(pin.split("==") for pin in [*project["dependencies"], *project["optional-dependencies"][extra]])
        names = imported(scripts)
        assert "numpy" in names
        for name in names:
            package = OF_ANOTHER.get(name) or re.sub(r"[-_.]+", "-", distributions[name][0]).lower()
            assert package in pins, f"`{name}` is imported, and {package} is not among the pins of `{extra}`"
            assert version(package) == pins[package]
