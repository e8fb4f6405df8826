"""Lets TRL's PRMTrainer, in TRL up to 1.13.0, take an exported set as it is, for two steps on a tiny model.

Argument: the set's folder. Prints one JSON object.
"""

import json
import os
import sys
import tempfile

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
from datasets import load_dataset
from transformers import Qwen2ForTokenClassification
from trl.experimental.prm import PRMConfig, PRMTrainer

import tiny

if __name__ == "__main__":
    sys.stdout, out = sys.stderr, sys.stdout
    rows = load_dataset(sys.argv[1], split="train")
    tokens = tiny.tokenizer([json.dumps(row) for row in rows.select(range(min(50, len(rows))))], None)
    config = tiny.config(tokens)
    config.num_labels = 2
    torch.manual_seed(1)
    model = Qwen2ForTokenClassification(config)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    options = {**tiny.OPTIONS, "output_dir": tempfile.mkdtemp(), "per_device_train_batch_size": 1}
    args = PRMConfig(**options, max_length=None, max_completion_length=None)
    trainer = PRMTrainer(model, args=args, train_dataset=rows, processing_class=tokens)
    trainer.train()
    labels = [[label for label in row["labels"] if label >= 0] for row in trainer.train_dataset]
    result = {
        "rows": len(rows),
        "steps": trainer.state.global_step,
        "losses": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
        "changed": sum(not torch.equal(one, other) for one, other in zip(before, model.parameters())),
        "as_labelled": labels == [[int(label) for label in row["labels"]] for row in rows],
    }
    print(json.dumps(result), file=out)
