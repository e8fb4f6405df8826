"""The trained model as one folder that Transformers and vLLM load: an adapter is merged into the model it was trained on.

Weights are safetensors; the chat template stands in tokenizer_config.json, where other programs than Transformers look for
it too, without the marks of what is generated, which only a trainer needs. The configuration also has the names that
Transformers before 5 reads: it would take a default for `rope_theta` without a word.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from .chat import ChatError, ChatFormat, inference_template
from .errors import ConfigError, TrainerError
from .model import Head, from_pretrained
from .probes import close_enough, logits_alone

_SHARD = "4GB"


class MergeError(TrainerError):
    """What was trained cannot be put together into one model."""


@dataclass(frozen=True)
class Merged:
    """model: in float32, to be evaluated. difference: largest of logits, before and after merging; None without an adapter."""

    model: Any
    difference: float | None


def merged(trained: Path, base: str, head: Head, probes: list[list[int]]) -> Merged:
    """trained: folder of a model, or of an adapter for `base`. probes: token ids to compare on. Raises MergeError, ConfigError."""
    is_adapter = (trained / "adapter_config.json").exists()
    if not is_adapter and not (trained / "config.json").exists():
        raise MergeError("there is no trained model in it; train first, or name the folder of a run that is done", str(trained))
    try:
        model = from_pretrained(base if is_adapter else str(trained), head).eval()
        if not is_adapter:
            return Merged(model, None)
        return _merged(model, trained, probes)
    except ConfigError as error:
        remedy = "name the model that was begun with as `model`" if is_adapter else "its files are damaged; train anew, or go on from a checkpoint"
        raise MergeError(f"{error.message}; {remedy}", str(trained)) from error
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        what = f"its weights cannot be read ({type(error).__name__}: {_first_line(error)})"
        raise MergeError(f"{what}; the files are damaged, or not of this model", str(trained)) from error


def _merged(model: Any, adapter: Path, probes: list[list[int]]) -> Merged:
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(model, str(adapter)).eval()
    before = logits_alone(adapted, probes)
    one = adapted.merge_and_unload(safe_merge=True).eval()
    difference = max(float((own - other).abs().max()) for own, other in zip(logits_alone(one, probes), before))
    if not close_enough(difference, before):
        raise MergeError(
            f"merged, the model is not what it was with the adapter (logits differ by {difference:.3g}); an adapter on embeddings that "
            "are tied to the head cannot be merged: leave `lm_head` and `embed_tokens` out of `lora_target_modules`",
            str(adapter),
        )
    return Merged(one, difference)


def write_model(model: Any, tokenizer: Any, folder: Path, template: str | None, dtype: torch.dtype) -> None:
    """template: the chat template trained with; None where there is none, as for a judge of steps."""
    model.to(dtype).save_pretrained(str(folder), max_shard_size=_SHARD)
    write_config(folder, model)
    write_tokenizer(tokenizer, folder, None if template is None else inference_template(template))
    _write_generation(folder, tokenizer, template)


def write_config(folder: Path, model: Any, more: dict[str, Any] | None = None) -> None:
    """config.json, with the names that older readers know."""
    model.config.save_pretrained(str(folder))
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.get("rope_parameters")
    # By kind of layer, there are no older names.
    if isinstance(rope, dict) and "rope_theta" in rope:
        config["rope_theta"] = rope["rope_theta"]
        if rope.get("rope_type", "default") != "default":
            config["rope_scaling"] = {name: value for name, value in rope.items() if name != "rope_theta"}
    if "dtype" in config:
        config["torch_dtype"] = config["dtype"]
    path.write_text(json.dumps({**config, **(more or {})}, indent=2) + "\n")


def write_tokenizer(tokenizer: Any, folder: Path, template: str | None) -> None:
    """template: the chat template, which stands in tokenizer_config.json; None: the tokenizer's own."""
    own = tokenizer.chat_template
    try:
        tokenizer.chat_template = own if template is None else template
        tokenizer.save_pretrained(str(folder), save_jinja_files=False)
    finally:
        tokenizer.chat_template = own


def _write_generation(folder: Path, tokenizer: Any, template: str | None) -> None:
    """Adds what ends a turn to what ends generation: a base model knows the end of a text alone."""
    path = folder / "generation_config.json"
    if template is None or not path.exists():
        return
    config = json.loads(path.read_text())
    known = config.get("eos_token_id")
    ends = known if isinstance(known, list) else [] if known is None else [known]
    turn = turn_end(tokenizer, template)
    if turn is not None and turn not in ends:
        ends = [*ends, turn]
    if ends:
        config["eos_token_id"] = ends[0] if len(ends) == 1 else ends
    path.write_text(json.dumps(config, indent=2) + "\n")


def turn_end(tokenizer: Any, template: str) -> int | None:
    """The special token that the agent's turn ends with, as the template has it."""
    try:
        format = ChatFormat(tokenizer, template)
        chat = format.encode([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}])
    except (ChatError, ConfigError):
        return None
    said = [token for start, end in chat.spans[-1] for token in chat.ids[start:end]]
    special = set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())
    found = [token for token in said if token in special]
    return found[-1] if found else None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
