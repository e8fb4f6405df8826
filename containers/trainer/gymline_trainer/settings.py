"""Reads options into a dataclass: YAML or JSON, then what the command line says. Nothing heavy is imported for it.

Every fault is named at once, an unknown option with the one that may be meant. Numbers may be written as `2e-5`, which
YAML takes for text.
"""

import argparse
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError

T = TypeVar("T")
_MISSING = dataclasses.MISSING


def option(default: Any, help: str, *, least: float | None = None, above: float | None = None, most: float | None = None) -> Any:
    """A field with its meaning and its bounds: `least` and `most` are allowed themselves, `above` is not.

    default: `...` where there is none.
    """
    metadata = {"help": help, "bounds": {"least": least, "above": above, "most": most}}
    return dataclasses.field(metadata=metadata) if default is ... else dataclasses.field(default=default, metadata=metadata)


def not_installed(module: str) -> str | None:
    """What is wrong where options need this module; None where it is here."""
    if find_spec(module) is not None:
        return None
    package = module.replace("_", "-")
    return f"these options need {package}, which is not installed: `pip install {package}`, or leave them out"


def read_options(kind: type[T], values: Mapping[str, Any], place: str = "", lacks: Callable[[str], str | None] = not_installed) -> T:
    """The dataclass `kind` from these values. place: the file they are from. lacks: see `not_installed`.

    Raises ConfigError with all that is wrong.
    """
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    faults: list[str] = []
    taken: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            near = get_close_matches(str(name), fields, n=1)
            faults.append(f"there is no option `{name}`" + (f"; did you mean `{near[0]}`?" if near else "; `--help` lists them all"))
            continue
        try:
            taken[name] = _typed(value, hints[name])
            _check_bounds(taken[name], fields[name].metadata.get("bounds", {}))
        except ValueError as error:
            faults.append(f"`{name}` must be {error}, and not {_shown(value)}")
    for name, field in fields.items():
        if name not in values and field.default is _MISSING and field.default_factory is _MISSING:
            faults.append(f"`{name}` is missing; give `--{name}` or put it into the file")
    if not faults:
        made = kind(**taken)
        missing = [lacks(module) for module in getattr(made, "modules", list)()]
        faults = [*getattr(made, "faults", list)(), *(fault for fault in missing if fault is not None)]
        if not faults:
            return made
    raise ConfigError(faults[0] if len(faults) == 1 else "\n  ".join(["", *faults]), place or "options")


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _typed(value: Any, hint: Any) -> Any:
    """Raises ValueError with what it must be."""
    if get_origin(hint) in (Union, UnionType):
        kinds = get_args(hint)
        if value is None and NoneType in kinds:
            return None
        expected = []
        for kind in kinds:
            if kind is not NoneType:
                try:
                    return _typed(value, kind)
                except ValueError as error:
                    expected.append(str(error))
        raise ValueError(" or ".join([*expected, *(["null"] if NoneType in kinds else [])]))
    if get_origin(hint) is Literal:
        if value in get_args(hint) and not isinstance(value, bool):
            return value
        raise ValueError("one of " + ", ".join(map(str, get_args(hint))))
    if get_origin(hint) is tuple:
        of = get_args(hint)[0]
        if isinstance(value, (list, tuple)):
            return tuple(_typed(entry, of) for entry in value)
        raise ValueError("a list")
    return _plain(value, hint)


def _plain(value: Any, hint: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is bool and isinstance(value, bool):
        return value
    # What is infinite, or no number at all, has no whole number.
    if hint is int and is_number and math.isfinite(value) and value == int(value):
        return int(value)
    if hint is float and is_number:
        return float(value)
    if hint is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    if hint is str and isinstance(value, str) and value:
        return value
    raise ValueError({bool: "true or false", int: "a whole number", float: "a number", str: "text"}[hint])


def _check_bounds(value: Any, bounds: Mapping[str, float | None]) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    least, above, most = (bounds.get(name) for name in ("least", "above", "most"))
    # Said this way round, NaN is none of it.
    is_fine = (least is None or value >= least) and (above is None or value > above) and (most is None or value <= most)
    if not is_fine or value in (float("inf"), float("-inf")) or value != value:
        wanted = [f"at least {least:g}" if least is not None else "", f"above {above:g}" if above is not None else ""]
        wanted.append(f"at most {most:g}" if most is not None else "")
        raise ValueError(" and ".join(part for part in wanted if part) or "finite")


def read_file(path: str) -> dict[str, Any]:
    """The options of a `.yaml`, `.yml` or `.json` file. Raises ConfigError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"it cannot be read ({type(error).__name__}); give a YAML or JSON file", path) from error
    value = _parsed_json(text, path) if path.endswith(".json") else _parsed_yaml(text, path)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ConfigError("it must hold options by name, such as `learning_rate: 1e-5`", path)
    return value


def _parsed_json(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"it is no JSON: {error}", path) from error


def _parsed_yaml(text: str, place: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark else place
        raise ConfigError(f"it is no YAML: {getattr(error, 'problem', None) or type(error).__name__}", where) from error


def command_line(
    kind: type[T], about: str, arguments: Sequence[str] | None = None, lacks: Callable[[str], str | None] = not_installed
) -> tuple[T, argparse.Namespace]:
    """Options of a run: those of `--config`, over them `--set`, over them `--data`, `--model` and `--out`. lacks: see `not_installed`.

    Raises ConfigError; leaves with 2 where the command line itself is wrong.
    """
    parser = argparse.ArgumentParser(description=about, epilog=_listed(kind), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", metavar="FILE", help="options as YAML or JSON")
    named = [field.name for field in dataclasses.fields(kind) if field.name in ("data", "run", "model", "out")]  # type: ignore[arg-type]
    for name in named:
        parser.add_argument(f"--{name}", metavar="PLACE", help=f"option `{name}`")
    parser.add_argument("--set", metavar="OPTION=VALUE", action="append", default=[], help="any option; may be given several times")
    parser.add_argument("--dry-run", action="store_true", help="check all, show rows, tokens, steps and memory, and train nothing")
    args = parser.parse_args(arguments)
    values = {} if args.config is None else read_file(args.config)
    for given in args.set:
        name, equals, value = given.partition("=")
        if not equals:
            raise ConfigError(f"write it as OPTION=VALUE, and not {_shown(given)}", "--set")
        values[name.strip().replace("-", "_")] = _parsed_yaml(value, f"--set {name}")
    values |= {name: getattr(args, name) for name in named if getattr(args, name) is not None}
    return read_options(kind, values, args.config or "", lacks), args


def _listed(kind: type[Any]) -> str:
    lines = ["options, in the file or with --set:"]
    for field in dataclasses.fields(kind):
        default = "required" if field.default is _MISSING else json.dumps(field.default)
        lines.append(f"  {field.name} ({default}): {field.metadata.get('help', '')}")
    return "\n".join(lines)
