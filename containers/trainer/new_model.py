"""A small model that has learnt nothing, for experiments: no hub, no downloads, ready to be trained and run.

  python new_model.py --data datasets/sft/3f2a9c01d4e5 --out models/new
  python new_model.py --data rows.jsonl --out models/new --set layers=2 --set hidden_size=128 --set seed=7

Its tokenizer is made from the conversations of `data`, its weights are drawn by `seed`. It writes `model/` for the
trainer, `onnx/` for the onnx agent, both laid out as an export, and last `new.json`, which says what it is.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from gymline_trainer.config import NewConfig
from gymline_trainer.program import program
from gymline_trainer.rows import open_dataset

SCHEMA = "gymline.new-model.v1"


def main(config: NewConfig, is_dry: bool) -> None:
    dataset = open_dataset(config.data, "sft", config.split)

    from gymline_trainer.fresh import new_model, new_tokenizer

    tokenizer = new_tokenizer(dataset, config.vocab_size)
    model = new_model(tokenizer, config)
    figures = {"parameters": model.num_parameters(), "tokens": len(tokenizer)}
    if is_dry:
        print(f"{figures['parameters']:,} parameters, {figures['tokens']} tokens")
        return

    from gymline_trainer.exporting import write_export

    out = Path(config.out)
    (out / "new.json").unlink(missing_ok=True)
    write_export(model, tokenizer, out)
    made_of = {"name": dataset.version.name, "version": dataset.version.version, "split": config.split}
    record = {"schema": SCHEMA, **figures, "dataset": made_of, "options": asdict(config)}
    (out / "new.json").write_text(json.dumps(record, indent=2) + "\n")
    print(f"{out}: {figures['parameters']:,} parameters, {figures['tokens']} tokens", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(program(NewConfig, __doc__, main))
