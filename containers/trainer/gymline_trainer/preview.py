"""Shows how a row is learnt: what is trained on in colour, what is masked dimmed.

  python -m gymline_trainer.preview --data datasets/coding/3f2a9c01d4e5 --model ./my-model
  python -m gymline_trainer.preview --data train.jsonl --model ./my-model --algorithm dpo --row 3 --max-length 4096

Without colour (NO_COLOR, or where the output is no terminal) what is trained on stands in ⟦ ⟧. Only the tokenizer of the
model is loaded.
"""

import argparse
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from .columns import ALGORITHMS
from .encoded import IGNORED
from .errors import ConfigError, DataError, TrainerError

_TRAINED, _MASKED, _PLAIN = "\x1b[1;32m", "\x1b[2m", "\x1b[0m"


def shown(sequence: Any, tokenizer: Any, *, width: int, color: bool) -> str:
    """A sequence as text of at most `width` columns. Control characters are written out: data must not drive the terminal."""
    runs = []
    pairs = zip(sequence["input_ids"], sequence["labels"])
    for is_trained, run in groupby(pairs, key=lambda pair: pair[1] != IGNORED):
        text = tokenizer.decode([token for token, _ in run], skip_special_tokens=False)
        runs.append((is_trained, text))
    return _wrapped(runs, width, color)


def _wrapped(runs: Iterable[tuple[bool, str]], width: int, color: bool) -> str:
    out: list[str] = []
    column = 0
    for is_trained, text in runs:
        style = (_TRAINED if is_trained else _MASKED) if color else ""
        marked = text if color or not is_trained else f"⟦{text}⟧"
        out.append(style)
        for cell, cells in _cells(marked):
            if cell == "\n":
                # Colours do not run over the end of a line, which some pagers forget.
                out.append(f"{_PLAIN}\n{style}" if color else "\n")
                column = 0
                continue
            if column + cells > width:
                out.append(f"{_PLAIN}\n{style}" if color else "\n")
                column = 0
            out.append(cell)
            column += cells
        out.append(_PLAIN if color else "")
    return "".join(out)


def _cells(text: str) -> Iterator[tuple[str, int]]:
    """What is printed for each character, and how many columns it takes."""
    for character in text:
        if character == "\n":
            yield character, 0
        elif character == "\t":
            yield "    ", 4
        elif unicodedata.combining(character):
            yield character, 0
        elif unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            written = f"\\u{ord(character):04x}"
            yield written, len(written)
        else:
            yield character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def headline(sequence: Any) -> str:
    chunk, labels = sequence["chunk"], sequence["labels"]
    trained = sum(label != IGNORED for label in labels)
    parts = [
        f"trajectory {chunk['trajectory'][:24]}",
        f"part {chunk['index'] + 1} of {chunk['of']}",
        f"{len(labels):,} tokens, {trained:,} trained ({trained / max(1, len(labels)):.0%})",
    ]
    by_step = _by_step(sequence, "advantages" if "advantages" in sequence else "weights")
    if "advantages" in sequence or any(value != 1 for value in by_step.values()):
        name = "advantage" if "advantages" in sequence else "weight"
        parts.append(f"{name} by step: " + ", ".join(f"{step}: {value:+.3g}" for step, value in by_step.items()))
    return " · ".join(parts)


def _by_step(sequence: Any, name: str) -> dict[int, float]:
    return {step: value for step, value in zip(sequence["step_ids"], sequence[name]) if step >= 0}


def previews(args: argparse.Namespace) -> Iterator[str]:
    """The row's sequences, each with its headline. Raises TrainerError."""
    from .chat import format_of, tokenizer_of
    from .encode import Encoder
    from .options import EncodeOptions
    from .rows import open_dataset

    options = EncodeOptions(max_length=args.max_length, overlap=args.overlap, over_long="cut")
    dataset = open_dataset(args.data, args.algorithm, args.split)
    if not 1 <= args.row <= len(dataset):
        raise ConfigError(f"there are {len(dataset)} rows, numbered from 1", "row")
    format = format_of(args.algorithm, tokenizer_of(args.model, "model"), args.chat_template)
    encoder = Encoder(dataset, format, options, only=args.row)
    color = _is_coloured(args.color)
    width = args.width or shutil.get_terminal_size((100, 24)).columns
    for found in getattr(encoder, args.algorithm)():
        sides = [("", found)] if "chosen" not in found else [(f"{side}: ", found[side]) for side in ("chosen", "rejected")]
        for name, sequence in sides:
            yield f"{name}{headline(sequence)}\n\n{shown(sequence, format.tokenizer, width=width, color=color)}\n"
    encoder.faults.raise_if_any()
    if encoder.figures.flat_groups and encoder.figures.sequences == 0:
        yield "The rewards of its group are all equal: it is left out."


def _is_coloured(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("gymline_trainer.preview", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a dataset version's folder, a .jsonl or .parquet file, or either in S3")
    parser.add_argument("--model", required=True, help="folder of the model, for its tokenizer and chat template")
    parser.add_argument("--algorithm", choices=tuple(ALGORITHMS), default="sft", help="what is to be trained (sft)")
    parser.add_argument("--split", default="train", help="train, validation or test (train)")
    parser.add_argument("--row", type=int, default=1, help="which row, from 1 (1)")
    parser.add_argument("--max-length", type=int, default=1 << 20, help="tokens of a sequence at the most (no limit)")
    parser.add_argument("--overlap", type=int, default=1, help="steps of context before a part's own (1)")
    parser.add_argument("--chat-template", help="file of a template to be used instead of the model's")
    parser.add_argument("--width", type=int, help="columns (those of the terminal)")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="(auto)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        for text in previews(args):
            print(text)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    except TrainerError as error:
        print(f"gymline_trainer.preview: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `| head` has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
