"""How well a model predicts what agents wrote: perplexity and token accuracy, with intervals.

  python eval_model.py --data datasets/coding/3f2a9c01d4e5 --model runs/sft/trained
  python eval_model.py --data test.jsonl --model ./my-model --out figures.json --set max_length=8192

Only the agent's own tokens count. Perplexity is exp of the mean negative log-likelihood per token; accuracy is the share
of tokens that were the model's likeliest. Intervals are 95 % percentile intervals of a bootstrap over trajectories.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from gymline_trainer.config import EvalConfig
from gymline_trainer.errors import TrainerError
from gymline_trainer.options import EncodeOptions
from gymline_trainer.program import program
from gymline_trainer.rows import open_dataset

SCHEMA = "gymline.model-evaluation.v1"


def main(config: EvalConfig, is_dry: bool) -> None:
    dataset = open_dataset(config.data, "sft", config.split)

    import numpy as np
    import torch

    from gymline_trainer.chat import ChatFormat, template_of
    from gymline_trainer.collate import Collator
    from gymline_trainer.losses import sequence_sums
    from gymline_trainer.metrics import perplexity
    from gymline_trainer.model import Scorer, check_packing, check_vocabulary, from_pretrained, load_tokenizer, uses_bf16
    from gymline_trainer.packing import pack
    from gymline_trainer.store import encoded_set

    tokenizer = load_tokenizer(config)
    options = EncodeOptions(max_length=config.max_length, over_long=config.over_long)
    data = encoded_set("sft", dataset, ChatFormat(tokenizer, template_of(config.chat_template)), options)
    if len(data) == 0:
        raise TrainerError("no sequences are left to evaluate on; see `over_long`", config.data)
    if is_dry:
        print("\n".join(data.figures.lines()))
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = uses_bf16(config)
    dtype = torch.bfloat16 if half else torch.float32
    model = from_pretrained(config.model, "language", dtype=dtype, half=half, attention=config.attention).to(device).eval()
    check_vocabulary(model, tokenizer)
    if config.packing:
        check_packing(model, half)
    scorer = Scorer(model, "language", half).eval()
    collator = Collator(data, tokenizer.pad_token_id or 0, packing=config.packing)
    lengths = [int(length) for length in data.lengths]
    order = sorted(range(len(data)), key=lambda index: -lengths[index])
    rows = pack(lengths, config.max_length) if config.packing else [[index] for index in order]

    # Of each trajectory: nll, right ones, tokens.
    sums: dict[str, Any] = defaultdict(lambda: np.zeros(3))
    with torch.no_grad():
        for at in range(0, len(rows), config.batch_size):
            batch = collator(rows[at : at + config.batch_size]).to(device)
            scores = scorer(batch.inputs, batch.rows, batch.columns, batch.targets)
            values = (-scores.logprobs.double(), scores.is_top.double(), torch.ones_like(scores.logprobs).double())
            per_sequence = torch.stack([sequence_sums(value, batch.sequence, batch.sequences) for value in values], -1)
            for name, own in zip(batch.trajectories, per_sequence.cpu().numpy()):
                sums[name] += own
            print(f"{min(at + config.batch_size, len(rows)):,} of {len(rows):,} rows", file=sys.stderr)

    table = np.stack([sums[name] for name in sorted(sums)])
    generator = np.random.default_rng(config.seed)
    # One resample at a time: all of them would be as many numbers as rows times resamples.
    totals = np.stack([table[generator.integers(0, len(table), len(table))].sum(0) for _ in range(config.resamples)])
    ends = lambda values: [float(value) for value in np.quantile(values, [0.025, 0.975])]
    nll, right, tokens = table.sum(0)
    figures = {
        "schema": SCHEMA,
        "model": config.model,
        "dataset": {"name": dataset.version.name, "version": dataset.version.version, "split": dataset.split},
        "trajectories": len(table),
        "sequences": len(data),
        "tokens": int(tokens),
        "nll": nll / tokens,
        "perplexity": perplexity(nll / tokens),
        "perplexity_interval": [perplexity(value) for value in ends(totals[:, 0] / totals[:, 2])],
        "token_accuracy": right / tokens,
        "token_accuracy_interval": ends(totals[:, 1] / totals[:, 2]),
        "resamples": config.resamples,
        "seed": config.seed,
    }
    text = json.dumps(figures, indent=1)
    if config.out is None:
        print(text)
    else:
        Path(config.out).write_text(f"{text}\n")


if __name__ == "__main__":
    sys.exit(program(EvalConfig, __doc__, main))
