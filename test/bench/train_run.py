"""One measured run of supervised fine-tuning, by this project's loop or by TRL's SFTTrainer, on the same sequences.

  train_run.py prepare FOLDER tiny|100m     makes a random model, rows, and the sequences that both train on
  train_run.py ours|trl FOLDER [packing]    trains two epochs; prints tokens and seconds of the second, and the peak of memory

Both compute in float32, without gradient checkpointing, eight sequences or two packed rows in a step. Only the second epoch
is timed: by then all is compiled, cached and in memory.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "containers/trainer"), str(ROOT / "test/trainer")]
MAX_LENGTH = 1024
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2},
    "100m": {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12, "num_key_value_heads": 4},
}
# Of the vocabulary, so that the head is what it is to a model of that size.
WORDS = {"tiny": 400, "100m": 32768}
ROWS = {"tiny": 64, "100m": 16}


def prepare(folder: Path, size: str) -> None:
    import tiny

    from gymline_trainer.chat import ChatFormat, tokenizer_of
    from gymline_trainer.options import EncodeOptions
    from gymline_trainer.rows import open_dataset
    from gymline_trainer.store import encoded_set

    tiny.saved(folder / "model", vocab_size=WORDS[size], tie_word_embeddings=True, **SIZES[size])
    # Trajectories of agents differ in length by an order of magnitude: one step to seven, short and long observations.
    rows = [tiny.sft_row(number, messages=tiny.conversation(1 + number % 3, seen="3 passed in 0.12s " * (number % 5))) for number in range(ROWS[size])]
    tiny.write_dataset(folder / "set", "sft-messages", {"train": [{**row, "tools": None} for row in rows]})
    # Transformers makes it one of the model's kind, which cuts words otherwise.
    tokenizer = tokenizer_of(str(folder / "model"), "model")
    dataset = open_dataset(str(folder / "set"), "sft")
    made = encoded_set("sft", dataset, ChatFormat(tokenizer), EncodeOptions(max_length=MAX_LENGTH), folder / "cache")
    kept = [{"input_ids": own["input_ids"], "labels": own["labels"]} for own in made]
    (folder / "sequences.json").write_text(json.dumps(kept))


def ours(folder: Path, packing: bool) -> dict[str, float]:
    import sft

    from gymline_trainer.config import SftConfig
    from gymline_trainer.program import program

    os.environ["GYMLINE_TRAINER_CACHE"] = str(folder / "cache")
    with tempfile.TemporaryDirectory() as out:
        given = {"data": folder / "set", "model": folder / "model", "out": out, "export": "none", "logging_steps": 1, **shared(packing)}
        written = {name: json.dumps(value if isinstance(value, (int, float)) else str(value)) for name, value in given.items()}
        arguments = [part for name, value in written.items() for part in ("--set", f"{name}={value}")]
        if program(SftConfig, None, sft.main, arguments) != 0:
            sys.exit("the run failed")
        lines = [json.loads(line) for line in (Path(out) / "metrics.jsonl").read_text().splitlines()]
    seconds, before = 0.0, 0
    for line in lines:
        own, before = line["tokens"] - before, line["tokens"]
        # The last step of the first epoch is at 1.0.
        seconds += own / line["tokens_per_second"] if line["epoch"] > 1 else 0.0
    return {"tokens": lines[-1]["tokens"] / 2, "seconds": seconds, "loss": lines[-1]["loss"]}


def shared(packing: bool) -> dict[str, Any]:
    return {
        "max_length": MAX_LENGTH,
        "packing": packing,
        "epochs": 2,
        "batch_size": 2 if packing else 8,
        "gradient_accumulation_steps": 1,
        "learning_rate": 1e-4,
        "lr_scheduler": "constant",
        "warmup_ratio": 0.0,
        "bf16": False,
        "save_steps": 1_000_000,
    }


def trl(folder: Path, packing: bool) -> dict[str, float]:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    ends: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            ends.append((state.epoch, time.perf_counter()))

    sequences = json.loads((folder / "sequences.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32, attn_implementation="sdpa")
    with tempfile.TemporaryDirectory() as out:
        options = shared(packing)
        config = SFTConfig(
            output_dir=out,
            max_length=MAX_LENGTH,
            packing=packing,
            num_train_epochs=2,
            per_device_train_batch_size=options["batch_size"],
            learning_rate=1e-4,
            lr_scheduler_type="constant",
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        data, tokenizer = Dataset.from_list(sequences), AutoTokenizer.from_pretrained(folder / "model")
        trainer = SFTTrainer(model, config, train_dataset=data, processing_class=tokenizer, callbacks=[Clock()])
        trainer.train()
    first = max(at for epoch, at in ends if epoch <= 1)
    return {"tokens": sum(len(own["input_ids"]) for own in sequences), "seconds": ends[-1][1] - first, "loss": float("nan")}


def main(argv: list[str]) -> None:
    what, folder, *rest = argv
    if what == "prepare":
        prepare(Path(folder), rest[0])
        return
    found = {"ours": ours, "trl": trl}[what](Path(folder), "packing" in rest)
    # Kilobytes on Linux.
    print(json.dumps({**found, "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}).replace("NaN", "null"))


if __name__ == "__main__":
    main(sys.argv[1:])
