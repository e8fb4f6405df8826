"""From options to sequences: rows are checked, then tokenised. No model is loaded, and a fault ends it here."""

import os
from dataclasses import dataclass, replace
from typing import Any

from .checks import Needs
from .config import TrainConfig
from .errors import TrainerError
from .options import EncodeOptions
from .rows import Dataset, open_dataset


@dataclass(frozen=True)
class Prepared:
    """What a run works on. train, evaluation: see store.py. template: of the chat; None where rows are text."""

    config: Any
    algorithm: str
    dataset: Dataset
    tokenizer: Any
    train: Any
    evaluation: Any | None
    template: str | None = None


def prepare(algorithm: str, config: TrainConfig, options: EncodeOptions, needs: Needs = Needs()) -> Prepared:
    """Raises DataError with every fault, ConfigError."""
    dataset = open_dataset(config.data, algorithm, config.split, needs)
    other = open_dataset(config.eval_data or config.data, algorithm, config.eval_split or "test", needs) if config.evaluates else None
    # All that follows imports torch.
    from .chat import format_of
    from .model import load_tokenizer
    from .store import encoded_set

    tokenizer = load_tokenizer(config)
    format = format_of(algorithm, tokenizer, config.chat_template)
    with _first_process_first():
        train = encoded_set(algorithm, dataset, format, options)
        # What is evaluated must not depend on what is left out of training.
        evaluation = None if other is None else encoded_set(algorithm, other, format, replace(options, keep_flat=True))
    if len(train) == 0 or (evaluation is not None and len(evaluation) == 0):
        empty = config.data if len(train) == 0 else config.eval_data or config.data
        raise TrainerError("no sequences are left to learn from; see `over_long`, and whether rewards differ within groups", empty)
    return Prepared(config, algorithm, dataset, tokenizer, train, evaluation, format.template or None)


def _first_process_first() -> Any:
    """Several processes on a machine need not all encode the same."""
    from contextlib import nullcontext

    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return nullcontext()
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    return PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU")).local_main_process_first()
