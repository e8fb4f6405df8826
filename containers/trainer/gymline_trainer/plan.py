"""A training plan (gymline.training-plan.v1): all that a job needs to know, in one object of the store.

  python -m gymline_trainer.plan sft --config run.yaml --data … --model … --set epochs=1

reads options as the script of that algorithm does, checks them against what the image of training jobs has, and prints those
that are not as they are by default, as JSON. It needs PyYAML and nothing else.
"""

import dataclasses
import json
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import DpoConfig, GrpoConfig, PrmConfig, SftConfig, TrainConfig
from .errors import ConfigError, TrainerError
from .settings import command_line, read_options

SCHEMA = "gymline.training-plan.v1"
KINDS: dict[str, type[TrainConfig]] = {"sft": SftConfig, "dpo": DpoConfig, "grpo": GrpoConfig, "prm": PrmConfig}


@dataclass(frozen=True)
class Plan:
    """options: of the script, without `out` and `checkpoints`. template: the text of a chat template that was a file.

    output, checkpoints: where they go, in S3. text: the plan as it was read.
    """

    run: str
    algorithm: str
    options: dict[str, Any]
    template: str | None
    output: str
    checkpoints: str
    text: dict[str, Any]

    def config(self, out: str, template: str | None) -> dict[str, Any]:
        """The options for the script, checked. template: where its file is now. Raises ConfigError."""
        placed = {} if template is None else {"chat_template": template}
        values = {**self.options, **placed, "out": out, "checkpoints": self.checkpoints}
        read_options(KINDS[self.algorithm], values, "plan")
        return values


def read_plan(text: bytes, place: str) -> Plan:
    """Raises ConfigError where it is no plan of this version."""
    try:
        value = json.loads(text)
        if value["schema"] != SCHEMA or value["algorithm"] not in KINDS or not isinstance(value["options"], dict):
            raise ValueError
        urls = [str(value[name]).rstrip("/") for name in ("output", "checkpoints")]
        if not all(re.fullmatch(r"s3://[^/]+/.+", url) for url in urls):
            raise ValueError
        return Plan(str(value["run"]), value["algorithm"], value["options"], value.get("template"), urls[0], urls[1], value)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"it is no {SCHEMA}; submit it with the version of gymline that the deployment is of", place) from error


def packages() -> set[str]:
    """What the image of training jobs has besides Python's own."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    return {re.split(r"[=<>\[]", line)[0] for line in [*project["dependencies"], *project["optional-dependencies"]["train"]]}


def not_in_image(module: str) -> str | None:
    package = module.replace("_", "-")
    if package in packages():
        return None
    return f"these options need {package}, which the image of training jobs does not have; leave them out"


def options(algorithm: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Those given that are not as by default. Raises ConfigError."""
    config, _ = command_line(KINDS[algorithm], "", arguments, lacks=not_in_image)
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {field.name: values[field.name] for field in dataclasses.fields(config) if values[field.name] != field.default}


def main(arguments: Sequence[str]) -> int:
    try:
        if not arguments or arguments[0] not in KINDS:
            raise ConfigError(f"give one of {', '.join(KINDS)} first", "algorithm")
        print(json.dumps(options(arguments[0], arguments[1:])))
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
