"""What a run would take, before it does: for `--dry-run`. No weights are loaded; the model is built without any."""

from typing import Any

import torch

from .errors import ConfigError
from .model import Head, uses_bf16
from .prepare import Prepared
from .schedule import Schedule, warmup_steps

_GIB = 1 << 30


def dry_run(prepared: Prepared, head: Head, needs_reference: bool = False) -> str:
    """Lines for people. Raises ConfigError where the model's configuration cannot be read."""
    config = prepared.config
    schedule = Schedule(config, prepared.train.lengths, prepared.train.difficulties)
    lines = [f"{prepared.algorithm} on {prepared.dataset.version.name} {prepared.dataset.version.version}, split {prepared.dataset.split}"]
    lines += [f"  {line}" for line in prepared.train.figures.lines()]
    if prepared.evaluation is not None:
        lines.append(f"  evaluated on: {len(prepared.evaluation):,}")
    lines.append(f"steps: {schedule.total:,} of {schedule.rows_per_step} rows on one device, {warmup_steps(config, schedule.total):,} of them warm-up")
    if needs_reference:
        lines.append("before the first, every sequence is scored once by the model begun with")
    parts = memory(prepared, head)
    lines.append(f"memory of one device, about: {sum(parts.values()) / _GIB:.2f} GiB ({', '.join(f'{name} {size / _GIB:.2f}' for name, size in parts.items())})")
    return "\n".join(lines)


def memory(prepared: Prepared, head: Head) -> dict[str, float]:
    """Bytes at the peak of a step, by what they are for. Activations are a rule of thumb (Korthikanti et al. 2022, 4.2,
    with attention that holds no matrix of T by T): 17 values per token, layer and unit of width (34 bytes in 16 bits), or
    one where they are computed again.
    """
    config = prepared.config
    model, own = _empty(config, head)
    weights = sum(parameter.numel() for parameter in model.parameters())
    trained = _adapter(model, config) if config.lora else weights
    half = uses_bf16(config)
    per_weight = 0.55 if config.qlora else 2 if config.lora and half else 4
    longest = int(max(prepared.train.lengths)) if config.row_tokens is None else config.row_tokens
    tokens = config.batch_size * longest * (2 if prepared.algorithm == "dpo" else 1)
    wide = 2 if half else 4
    per_layer = 1 if config.gradient_checkpointing else 17
    activations = tokens * own.hidden_size * own.num_hidden_layers * per_layer * wide
    logits = 0.0 if head == "steps" else 3 * 4 * min(tokens * own.vocab_size, 1 << 24)
    return {
        "weights": weights * per_weight + (trained * 4 if config.lora else 0),
        "gradients": trained * 4,
        "optimizer": trained * 8,
        "activations": float(activations),
        "logits": logits,
    }


def _empty(config: Any, head: Head) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForTokenClassification

    kind = AutoModelForCausalLM if head == "language" else AutoModelForTokenClassification
    try:
        read = AutoConfig.from_pretrained(config.model)
        with torch.device("meta"):
            return kind.from_config(read), read.get_text_config()
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"no model can be loaded from {config.model} ({type(error).__name__}); give a model's folder or name", "model") from error


def _adapter(model: Any, config: Any) -> int:
    """Weights of an adapter: rank times (inputs + outputs) of each layer it stands at."""
    chosen = config.lora_target_modules
    head = model.get_output_embeddings()
    layers = [
        layer
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head and (chosen == "all-linear" or name.rpartition(".")[2] in chosen)
    ]
    return sum(config.lora_r * (layer.in_features + layer.out_features) for layer in layers)
