"""Lets TRL's own trainers take exported sets as they are, for two steps of the optimizer on a tiny model.

Argument: JSON of the sets' folders by target. Prints one JSON object: for each target, its rows, the steps taken, the
losses, how many parameters changed, and for supervised targets which texts are learnt.
"""

import json
import math
import sys
import tempfile

import torch
from datasets import load_dataset
from transformers import Qwen2ForCausalLM

import tiny

def options(**more):
    return {**tiny.OPTIONS, "output_dir": tempfile.mkdtemp(), **more}


def learnt(row, tokens):
    """The stretches of a row that count in the loss, as text."""
    stretches, ids = [], []
    for token, label in zip(row["input_ids"] + [0], row["labels"] + [-100]):
        if label != -100:
            ids.append(token)
        elif ids:
            stretches.append(tokens.decode(ids))
            ids = []
    return stretches


def sft(rows, model, tokens):
    from trl import SFTConfig, SFTTrainer

    args = SFTConfig(**options(max_length=None, assistant_only_loss=True, per_device_train_batch_size=1))
    return SFTTrainer(model, args=args, train_dataset=rows, processing_class=tokens)


def dpo(rows, model, tokens):
    from trl import DPOConfig, DPOTrainer

    args = DPOConfig(**options(max_length=None, per_device_train_batch_size=1))
    return DPOTrainer(model, args=args, train_dataset=rows, processing_class=tokens)


def kto(rows, model, tokens):
    from trl import KTOConfig, KTOTrainer

    args = KTOConfig(**options(max_length=4096, per_device_train_batch_size=2))
    return KTOTrainer(model, args=args, train_dataset=rows, processing_class=tokens)


def grpo(rows, model, tokens):
    from trl import GRPOConfig, GRPOTrainer

    def reward(completions, ground_truth, domain, extra_info, **_):
        """What it is given comes from the row's columns."""
        for truth, info in zip(ground_truth, extra_info):
            assert "task_id" in json.loads(truth) and 0 <= info["mean_reward"] <= 1
        return [float(index % 2) for index in range(len(completions))]

    args = GRPOConfig(**options(per_device_train_batch_size=2, num_generations=2, max_completion_length=8))
    return GRPOTrainer(model, reward_funcs=reward, args=args, train_dataset=rows, processing_class=tokens)


TRAINERS = {"trl": sft, "trl-prompt-completion": sft, "trl-dpo": dpo, "trl-kto": kto, "trl-grpo": grpo}


def trained(target, folder):
    rows = load_dataset(folder, split="train")
    texts = [json.dumps(row, default=str) for row in rows.select(range(min(50, len(rows))))]
    tokens = tiny.tokenizer(texts, tiny.chat_template("qwen3_training"))
    torch.manual_seed(1)
    # DPO and KTO load their reference from where the model came from.
    home = tempfile.mkdtemp()
    Qwen2ForCausalLM(tiny.config(tokens)).save_pretrained(home)
    model = Qwen2ForCausalLM.from_pretrained(home)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    trainer = TRAINERS[target](rows, model, tokens)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    changed = sum(not torch.equal(one, other) for one, other in zip(before, model.parameters()))
    result = {
        "rows": len(rows),
        "kept": len(trainer.train_dataset),
        "steps": trainer.state.global_step,
        "losses": [loss for loss in losses if math.isfinite(loss)],
        "changed": changed,
    }
    if target in ("trl", "trl-prompt-completion"):
        result["learnt"] = [learnt(row, tokens) for row in trainer.train_dataset]
    return result


if __name__ == "__main__":
    sys.stdout, out = sys.stderr, sys.stdout
    print(json.dumps({target: trained(target, folder) for target, folder in json.loads(sys.argv[1]).items()}), file=out)
