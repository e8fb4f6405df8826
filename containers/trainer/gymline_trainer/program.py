"""What a script is as a program: options in, one clear line where it fails, and an exit code that says what to do.

0 done; 1 it failed, and would again; 2 the command line is wrong; 75 it was stopped and has saved: start it again.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .errors import TrainerError
from .settings import command_line
from .signals import STOPPED, StoppedError

T = TypeVar("T")


def program(kind: type[T], about: str | None, main: Callable[[T, bool], None], arguments: Sequence[str] | None = None) -> int:
    """main: takes the options, and whether it is only to say what it would do."""
    try:
        config, args = command_line(kind, about or "", arguments)
        main(_fetched(config), args.dry_run)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except StoppedError as stopped:
        print(stopped, file=sys.stderr)
        return STOPPED
    except KeyboardInterrupt:
        print("interrupted; start it again to go on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


def _fetched(config: Any) -> Any:
    """With folders of this machine in place of models in S3."""
    places = {name: getattr(config, name, None) for name in ("model", "tokenizer")}
    remote = {name: place for name, place in places.items() if isinstance(place, str) and place.startswith("s3://")}
    if not remote:
        return config
    from .s3_model import model_folder
    from .sources import cache_folder

    return replace(config, **{name: str(model_folder(place, cache_folder(), weights=name == "model")) for name, place in remote.items()})
