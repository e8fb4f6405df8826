"""Loads a model for training and scores tokens with it.

`Scorer` wraps the model, so that what is sharded or copied to several devices is the whole way from ids to
log-probabilities. Of a batch only the places that are trained on go through the head, and a few at a time: of an agent's
trajectory most tokens are observations, and their logits would be the largest tensor there is.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .chat import tokenizer_of
from .config import EvalConfig, TrainConfig
from .errors import ConfigError, TrainerError
from .losses import token_logprobs

Head = Literal["language", "steps"]
# Logits held at a time: 2^24 numbers, 64 MiB in float32.
_LOGITS = 1 << 24
# What architectures call it.
_JUDGE_HEADS = ("score", "classifier")


@dataclass(frozen=True)
class Scores:
    """Of a batch's trained places. logprobs: [N], of a language model. logits: [N, 2], of a judge of steps.

    is_top: [N], whether the target was the likeliest token; in evaluation only.
    """

    logprobs: Tensor | None = None
    logits: Tensor | None = None
    is_top: Tensor | None = None


class Scorer(nn.Module):
    """model: one of Transformers', or a PEFT model around one."""

    def __init__(self, model: nn.Module, head: Head, half: bool = False) -> None:
        """half: whether it will be computed with in bfloat16; some kinds of attention take nothing else."""
        super().__init__()
        self.model = model
        self._head = head
        self._half = half
        # For sharding: what is wrapped by itself.
        self._no_split_modules = getattr(self._inner(), "_no_split_modules", None)
        self.config = self._inner().config
        self._splits = head == "language" and self._head_is_plain()

    def _inner(self) -> Any:
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def forward(self, inputs: dict[str, Tensor], rows: Tensor, columns: Tensor, targets: Tensor) -> Scores:
        if self._head == "steps":
            return Scores(logits=self.model(**inputs).logits[rows, columns].float())
        if not self._splits:
            logits = self.model(**inputs, use_cache=False).logits[rows, columns]
            return Scores(token_logprobs(logits, targets), is_top=None if self.training else logits.argmax(-1) == targets)
        inner = self._inner()
        hidden = inner.base_model(**inputs, use_cache=False).last_hidden_state[rows, columns]
        return self._scored(inner.get_output_embeddings(), hidden, targets)

    def _scored(self, head: nn.Module, hidden: Tensor, targets: Tensor) -> Scores:
        """A few tokens at a time; their logits are computed again for the gradient."""
        size = max(1, _LOGITS // self.config.get_text_config().vocab_size)
        logprobs, is_top = [], []
        for part, own in zip(hidden.split(size), targets.split(size)):
            if self.training and len(hidden) > size:
                logprobs.append(checkpoint(lambda part, own: token_logprobs(head(part), own), part, own, use_reentrant=False))
                continue
            logits = head(part)
            logprobs.append(token_logprobs(logits, own))
            if not self.training:
                is_top.append(logits.argmax(-1) == own)
        return Scores(torch.cat(logprobs), is_top=torch.cat(is_top) if is_top else None)

    def _head_is_plain(self) -> bool:
        """Whether logits are the head's output and no more. Some models scale or bound them: these take the whole way."""
        inner = self._inner()
        head = inner.get_output_embeddings()
        if head is None or inner.base_model is inner:
            return False
        device = next(inner.parameters()).device
        ids = torch.arange(8, device=device)[None] % self.config.get_text_config().vocab_size
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad(), _computing(device, self._half):
                whole = self.model(input_ids=ids, use_cache=False).logits
                split = head(inner.base_model(input_ids=ids, use_cache=False).last_hidden_state)
        except (AttributeError, TypeError):
            return False
        finally:
            self.model.train(was_training)
        return torch.equal(whole, split)


def load_tokenizer(config: TrainConfig | EvalConfig) -> Any:
    return tokenizer_of(config.tokenizer or config.model, "tokenizer" if config.tokenizer else "model")


def uses_bf16(config: TrainConfig | EvalConfig) -> bool:
    if config.bf16 is None:
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return config.bf16


def load_model(config: TrainConfig, head: Head, saved: Path | None = None) -> Any:
    """The model to train. saved: folder of a checkpoint's model, or adapter; None to begin.

    All weights are trained in float32, computed with in bfloat16 where that is asked for; under an adapter the model is
    in bfloat16, or 4 bits. New weights (an adapter, a judge's head) depend on the seed alone. Raises ConfigError.
    """
    if (Path(config.model) / "adapter_config.json").exists():
        raise ConfigError(f"{config.model} is an adapter; merge it into its model first, and give that", "model")
    torch.manual_seed(config.seed)
    source = str(saved) if saved is not None and not config.lora else config.model
    half = uses_bf16(config)
    frozen = torch.bfloat16 if config.lora and half else torch.float32
    model = from_pretrained(source, head, dtype=frozen, half=half, attention=config.attention, extra=_quantized(config))
    if config.liger or (config.liger is None and torch.cuda.is_available() and find_spec("liger_kernel")):
        from transformers.integrations.liger import apply_liger_kernel

        # The loss is our own, so of its kernels only those of the layers.
        apply_liger_kernel(model, {"cross_entropy": False, "fused_linear_cross_entropy": False})
    if config.lora:
        model = _adapted(model, config, head, saved)
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model


def from_pretrained(
    source: str,
    head: Head,
    *,
    dtype: torch.dtype = torch.float32,
    half: bool = False,
    attention: str = "auto",
    extra: dict[str, Any] | None = None,
) -> Any:
    """dtype: of the weights. half: whether it will be computed with in bfloat16. Raises ConfigError."""
    from transformers import AutoModelForCausalLM, AutoModelForTokenClassification
    from transformers.utils import logging

    kind = AutoModelForCausalLM if head == "language" else AutoModelForTokenClassification
    labels = {} if head == "language" else {"num_labels": 2, "id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    if attention == "auto":
        is_flash = torch.cuda.is_available() and find_spec("flash_attn") is not None and half
        attention = "flash_attention_2" if is_flash else "sdpa"
    options = {"dtype": dtype, "attn_implementation": attention, **labels, **(extra or {})}
    # That a judge's head is new is no news, and bars of a second tear the lines of progress.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        return kind.from_pretrained(source, **options)
    except ValueError as error:
        if attention != "sdpa" or "attention" not in str(error):
            raise _unloadable(source, error) from error
        # Some architectures have only the plain kind.
        return kind.from_pretrained(source, **{**options, "attn_implementation": "eager"})
    except (OSError, KeyError, RuntimeError) as error:
        raise _unloadable(source, error) from error


def _unloadable(source: str, error: Exception) -> ConfigError:
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return ConfigError(f"no model can be loaded from {source} ({type(error).__name__}: {first}); give a model's folder or name", "model")


def _quantized(config: TrainConfig) -> dict[str, Any]:
    if not config.qlora:
        return {}
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if uses_bf16(config) else torch.float32
    made = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute)
    return {"quantization_config": made}


def _adapted(model: Any, config: TrainConfig, head: Head, saved: Path | None) -> Any:
    from peft import LoraConfig, PeftModel, TaskType, get_peft_model, prepare_model_for_kbit_training

    if config.qlora:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=config.gradient_checkpointing)
    if saved is not None:
        return PeftModel.from_pretrained(model, str(saved), is_trainable=True)
    targets = config.lora_target_modules
    made = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        # A judge's head is new: it is trained whole, and has no adapter.
        exclude_modules=None if head == "language" else list(_JUDGE_HEADS),
        task_type=TaskType.CAUSAL_LM if head == "language" else TaskType.TOKEN_CLS,
    )
    try:
        return get_peft_model(model, made)
    except ValueError as error:
        named = targets if isinstance(targets, str) else ", ".join(targets)
        raise ConfigError(f"the model has no such layers ({named}); name some of its linear layers, or all-linear", "lora_target_modules") from error


def _computing(device: torch.device, half: bool) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=half)


def check_packing(model: Any, half: bool = False) -> None:
    """Whether a sequence of a packed row has the outputs that it has alone. Raises ConfigError where it sees another."""
    device = next(model.parameters()).device
    size = model.config.get_text_config().vocab_size
    first, second = (torch.arange(start, start + 6, device=device)[None] * 7 % size for start in (3, 11))
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), _computing(device, half):
            alone = model(input_ids=second, use_cache=False).logits
            positions = torch.arange(6, device=device)[None].repeat(1, 2)
            packed = model(input_ids=torch.cat([first, second], 1), position_ids=positions, use_cache=False).logits[:, 6:]
        tolerance = 1e-3 if alone.dtype == torch.float32 else 5e-2
        is_apart = torch.allclose(alone, packed, atol=tolerance * float(alone.abs().max().clamp(min=1)), rtol=tolerance)
    except TypeError:
        # It takes no positions at all.
        is_apart = False
    finally:
        model.train(was_training)
    if not is_apart:
        raise ConfigError("this model does not keep the sequences of a packed row apart; set it to false", "packing")


def check_vocabulary(model: Any, tokenizer: Any) -> None:
    size = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > size:
        raise TrainerError(f"the tokenizer has {len(tokenizer)} tokens and the model {size}; give the model's own", "tokenizer")
