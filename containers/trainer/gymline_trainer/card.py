"""The model card: README.md of a run, as model hubs show it."""

from pathlib import Path
from typing import Any

from .run_record import RunRecord

_NAMES = {
    "sft": "supervised fine-tuning",
    "dpo": "direct preference optimisation",
    "grpo": "offline group-relative policy optimisation",
    "prm": "a process reward model",
}


def model_card(run: RunRecord, export: dict[str, Any]) -> str:
    """export: as training.json has it."""
    value, config = run.value, run.config
    dataset = value["dataset"]
    is_judge = run.algorithm == "prm"
    kind = "LoRA" if config.lora else "all weights"
    parts = [
        _front(run, is_judge),
        f"# {dataset['name']} · {run.algorithm}\n",
        f"Made by Gymline: {_NAMES[run.algorithm]} ({kind}) of `{run.base_model}` on dataset `{dataset['name']}`, version `{dataset['version']}`.\n",
        "## Data\n",
        _table([("dataset", dataset["name"]), ("version", dataset["version"]), ("split", dataset["split"]), *_manifest(dataset), *_counts(value)]),
        "## Figures\n",
        "Of the last line of each kind in `metrics.jsonl`; `eval_…` are of the evaluation.\n",
        _table([("steps", value["steps"]), ("stopped early", value["stopped_early"]), *value["metrics"].items()]),
        "## Options\n",
        "Those that are not the defaults; all are in `training.json`.\n",
        _table([(name, option) for name, option in value["config"].items() if option != _default(config, name)]),
        *_checked(export),
        *_use(run, export, is_judge),
        "## Made with\n",
        _table([("commit", value.get("commit") or "of a release"), ("seed", config.seed), *value["packages"].items()]),
    ]
    return "\n".join(parts)


def _front(run: RunRecord, is_judge: bool) -> str:
    # A name of the hub; a folder of some machine says nothing there.
    name = run.base_model
    is_name = name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()
    lines = [*([f"base_model: {name}"] if is_name else []), "library_name: transformers"]
    lines += [f"pipeline_tag: {'token-classification' if is_judge else 'text-generation'}", "tags:", "- gymline", f"- {run.algorithm}"]
    return "\n".join(["---", *lines, "---", ""])


def _manifest(dataset: dict[str, Any]) -> list[tuple[str, Any]]:
    digest = dataset.get("manifest_sha256")
    return [] if digest is None else [("SHA-256 of its manifest", digest)]


def _counts(value: dict[str, Any]) -> list[tuple[str, Any]]:
    always = ("rows", "sequences", "tokens", "trained_tokens")
    return [(name.replace("_", " "), count) for name, count in value["data"].items() if count or name in always]


def _default(config: Any, name: str) -> Any:
    field = type(config).__dataclass_fields__.get(name)
    default = None if field is None else field.default
    return list(default) if isinstance(default, tuple) else default


def _checked(export: dict[str, Any]) -> list[str]:
    verification = export.get("verification")
    if verification is None:
        return []
    own = verification["model"]
    rows = [("`model/` through merging", own["merged"]), (f"`model/` in {export['dtype']}, written and read", own["saved"])]
    for name, title in (("onnx", "`onnx/onnx/model.onnx`"), ("onnx_q4", "`onnx/onnx/model_q4.onnx`")):
        if name in verification:
            of = verification[name]
            chosen = "" if "tokens" not in of else f"; {of['same_tokens']} of {of['tokens']} greedy tokens are the same"
            rows.append((title, f"{of['max_abs_difference']:.3g}{chosen}"))
    shown = [(name, f"{value:.3g}" if isinstance(value, float) else value) for name, value in rows if value is not None]
    about = f"Largest differences of logits to the trained model, on {own['prompts']} prompts, all at once and step by step.\n"
    return ["## Checked after export\n", about, _table(shown)]


def _use(run: RunRecord, export: dict[str, Any], is_judge: bool) -> list[str]:
    if export["format"] == "none":
        return []
    kind = "AutoModelForTokenClassification" if is_judge else "AutoModelForCausalLM"
    code = [
        "## Use\n",
        f"```python\nfrom transformers import {kind}, AutoTokenizer\n",
        f'model = {kind}.from_pretrained("model", dtype="auto")\ntokenizer = AutoTokenizer.from_pretrained("model")\n```\n',
    ]
    if not is_judge:
        code.append("```sh\nvllm serve ./model\n```\n")
    else:
        separator = getattr(run.config, "separator", "\n")
        code.append(f"Class 1 is good. A step is judged at the last token of the separator that follows it: `{separator!r}`.\n")
    if export["format"] == "onnx":
        code.append(_ONNX_JUDGE if is_judge else _ONNX)
    return code


_ONNX = """`onnx/` is for onnxruntime and Transformers.js. The graphs take `input_ids`, `attention_mask`, `position_ids` and the cache
(`past_key_values.N.key`, `.value`, empty at first), and give `logits` and the cache for the next step (`present.N.key`, `.value`):

```python
import onnxruntime

session = onnxruntime.InferenceSession("onnx/onnx/model_q4.onnx")
```

```js
import { pipeline } from "@huggingface/transformers";

const generate = await pipeline("text-generation", "./onnx", { dtype: "q4", local_files_only: true });
```

Gymline runs it as an agent in environments: `gymline collect --agent onnx --model <this folder>`.
"""
_ONNX_JUDGE = """`onnx/` is for onnxruntime. The graphs take `input_ids`, `attention_mask` and `position_ids`, and give `logits` [rows, tokens, 2]:

```python
import onnxruntime

session = onnxruntime.InferenceSession("onnx/onnx/model.onnx")
```
"""


def _table(rows: list[tuple[str, Any]]) -> str:
    if not rows:
        return "None.\n"
    cells = [(_cell(name), _cell(value)) for name, value in rows]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in cells), ""])


def _cell(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else f"{value:.6g}" if isinstance(value, float) else str(value)
    # Options are text of the user's: no line or cell of the table may end in them.
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
