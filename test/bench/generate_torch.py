"""Tokens a second of Transformers' `generate`, greedy, on the processor.

    python generate_torch.py make FOLDER        a model with random weights, exported to FOLDER
    python generate_torch.py run FOLDER         JSON: seconds of each round, for each number of prompts
"""

import json
import sys
import time
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "trainer"), str(HERE.parents[1] / "containers" / "trainer")]

PROMPT, NEW, ROUNDS = 128, 32, 3


def make(folder: Path) -> None:
    import tiny

    from gymline_trainer.onnx_graph import write_graph

    words = tiny.tokenizer(tiny.UNMARKED)
    size = {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2}
    # The vocabulary of a small model, most of which no tokenizer here writes.
    model = tiny.qwen2(words, vocab_size=8_000, **size).eval()
    write_graph(model, "language", folder / "onnx" / "model.onnx")
    model.save_pretrained(folder)
    words.save_pretrained(folder, save_jinja_files=False)
    # Nothing ends an answer, so that all write as much.
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 7_999, "pad_token_id": 0}))


@torch.no_grad()
def run(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rounds = {}
    for count in (1, 8):
        ids = torch.tensor([[3 + (row * 7 + at * 11) % 300 for at in range(PROMPT)] for row in range(count)])
        taken = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False)
            taken.append(time.perf_counter() - begun)
            assert made.shape[1] == PROMPT + NEW
        rounds[count] = taken
    print(json.dumps({"seconds": rounds, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    {"make": make, "run": run}[sys.argv[1]](Path(sys.argv[2]))
