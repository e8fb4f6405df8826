"""All options, one dataclass per algorithm. Neither torch nor anything else that takes long is imported here."""

from dataclasses import dataclass
from typing import Literal

from .advantages import Advantage
from .options import EncodeOptions, OverLong
from .settings import option

Scheduler = Literal["cosine", "linear", "constant"]
Attention = Literal["auto", "eager", "sdpa", "flash_attention_2"]
DpoLoss = Literal["sigmoid", "sigmoid_norm", "ipo"]
GrpoLoss = Literal["grpo", "dapo", "dr_grpo"]
Export = Literal["none", "model", "onnx"]
ExportDtype = Literal["auto", "float32", "bfloat16", "float16"]
_DTYPE = "of the weights in model/; auto: as the model begun with has them"
_ONNX = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What all algorithms have."""

    data: str = option(..., "dataset version's folder, .jsonl or .parquet file, or s3:// of either")
    model: str = option(..., "folder or name of the model to begin with")
    out: str = option("out", "folder for the trained model, metrics and checkpoints")
    split: str = option("train", "split of `data` to train on")
    eval_data: str | None = option(None, "what to evaluate on; null: `data`, if `eval_split` is given")
    eval_split: str | None = option(None, "split to evaluate on; null: test, if `eval_data` is given")
    tokenizer: str | None = option(None, "its folder or name; null: the model's")
    chat_template: str | None = option(None, "Jinja file, or trl:<name>; null: the tokenizer's")

    max_length: int = option(2048, "tokens of a sequence at the most", least=2)
    chunk: bool = option(True, "cut trajectories that are longer at the borders of steps")
    chunk_overlap: int = option(1, "steps before a part that it has as context, masked", least=0)
    over_long: OverLong = option("error", "what to do with a step that alone is too long")
    mask_observations: bool = option(True, "train on what the agent wrote alone")

    curriculum: bool = option(False, "begin with the easiest sequences (few steps, high reward)")
    curriculum_start_ratio: float = option(0.3, "share of them in the first epoch", least=0.1, most=1)
    curriculum_warmup_epochs: int = option(1, "epochs until all are taken", least=1)

    epochs: int = option(3, "times through the data", least=1)
    max_steps: int | None = option(None, "stop after so many steps of the optimizer", least=1)
    batch_size: int = option(4, "rows at a time on each device", least=1)
    gradient_accumulation_steps: int = option(4, "batches in a step of the optimizer", least=1)
    learning_rate: float = option(2e-5, "at its highest", above=0)
    lr_scheduler: Scheduler = option("cosine", "how the rate falls after warm-up")
    warmup_ratio: float = option(0.1, "share of the steps over which the rate rises", least=0, most=1)
    warmup_steps: int | None = option(None, "that many instead", least=0)
    weight_decay: float = option(0.01, "of matrices; biases and norms have none", least=0)
    adam_beta1: float = option(0.9, "of AdamW", least=0, most=0.9999999)
    adam_beta2: float = option(0.999, "of AdamW", least=0, most=0.9999999)
    adam_epsilon: float = option(1e-8, "of AdamW", above=0)
    max_grad_norm: float = option(1.0, "gradients are scaled down to this norm; 0: never", least=0)
    seed: int = option(42, "of the order of the data, of dropout and of new weights", least=0)
    deterministic: bool = option(False, "only algorithms of torch that give the same bits on a GPU too; slower")

    bf16: bool | None = option(None, "compute in bfloat16; null: where the GPU can")
    gradient_checkpointing: bool = option(False, "less memory for more time")
    attention: Attention = option("auto", "auto: flash attention where it is installed, else sdpa")
    liger: bool | None = option(None, "Liger's kernels; null: where they are installed and there is a GPU")
    use_lora: bool = option(False, "train an adapter instead of all weights")
    qlora: bool = option(False, "an adapter on a model in 4 bits (bitsandbytes)")
    lora_r: int = option(8, "rank", least=1)
    lora_alpha: int = option(16, "scale of the adapter, divided by its rank", least=1)
    lora_dropout: float = option(0.05, "dropout before the adapter", least=0, most=0.999)
    lora_target_modules: Literal["all-linear"] | tuple[str, ...] = option("all-linear", "names of layers; all-linear: all but the head")

    logging_steps: int = option(10, "steps between lines of metrics", least=1)
    eval_steps: int | None = option(None, "steps between evaluations; null: after each epoch", least=1)
    save_steps: int = option(500, "steps between checkpoints", least=1)
    keep_checkpoints: int = option(3, "the newest ones that stay", least=1)
    checkpoints: str | None = option(None, "folder or s3://; null: `checkpoints` in `out`")
    resume: Literal["auto", "never"] = option("auto", "auto: go on from the newest whole checkpoint, if there is one")
    early_stopping_patience: int | None = option(None, "evaluations without a lower loss before it stops", least=1)
    save_best: bool = option(False, "the model with the lowest loss in evaluation is the result, not the last")
    export: Export = option("model", "model: one model for Transformers and vLLM; onnx: that, and ONNX; none: neither")
    export_dtype: ExportDtype = option("auto", _DTYPE)
    report_to: tuple[Literal["wandb", "tensorboard"], ...] = option((), "where metrics go besides metrics.jsonl")
    project: str = option("gymline", "project there")
    run_name: str | None = option(None, "name of the run there")

    @property
    def evaluates(self) -> bool:
        return self.eval_data is not None or self.eval_split is not None

    @property
    def lora(self) -> bool:
        return self.use_lora or self.qlora

    @property
    def row_tokens(self) -> int | None:
        """Tokens of a packed row; None where rows are not packed."""
        return self.max_length if getattr(self, "packing", False) else None

    def encode_options(self) -> EncodeOptions:
        return EncodeOptions(
            max_length=self.max_length,
            chunk=self.chunk,
            overlap=self.chunk_overlap,
            over_long=self.over_long,
            mask_observations=self.mask_observations,
        )

    def faults(self) -> list[str]:
        """What cannot go together."""
        if not self.evaluates and (self.early_stopping_patience is not None or self.save_best or self.eval_steps is not None):
            return ["`early_stopping_patience`, `save_best` and `eval_steps` need `eval_data` or `eval_split`"]
        return []

    def modules(self) -> list[str]:
        """Modules that these options need, and others do not."""
        needed = {"peft": self.lora, "bitsandbytes": self.qlora, "liger_kernel": self.liger is True}
        needed |= {"flash_attn": self.attention == "flash_attention_2", "boto3": (self.checkpoints or "").startswith("s3://")}
        needed |= {name: name in self.report_to for name in ("wandb", "tensorboard")}
        needed |= {name: self.export == "onnx" for name in _ONNX}
        return [name for name, is_needed in needed.items() if is_needed]


@dataclass(frozen=True, kw_only=True)
class SftConfig(TrainConfig):
    packing: bool = option(False, "several sequences in a row of `max_length` tokens; none sees another")
    step_weighted_loss: bool = option(False, "steps weigh by their rewards, with a mean of 1")


@dataclass(frozen=True, kw_only=True)
class DpoConfig(TrainConfig):
    beta: float = option(0.1, "how far the policy may go from the reference", above=0)
    loss: DpoLoss = option("sigmoid", "sigmoid_norm: of log-probabilities per token; ipo: squared, per token")
    label_smoothing: float = option(0.0, "share of pairs thought to be the wrong way round", least=0, most=0.5)
    margin_weights: bool = option(False, "pairs weigh by their margin, with a mean of 1")

    def faults(self) -> list[str]:
        smoothed = self.label_smoothing > 0 and self.loss == "ipo"
        return [*super().faults(), *(["`label_smoothing` has no meaning with `loss: ipo`"] if smoothed else [])]


@dataclass(frozen=True, kw_only=True)
class GrpoConfig(TrainConfig):
    advantage: Advantage = option("trajectory", "whose advantage a token has; see advantages.py")
    scale_rewards: bool = option(True, "divide advantages by the group's standard deviation; Dr. GRPO does not")
    keep_flat: bool = option(False, "groups without variance stay in; they have no advantage, only the KL term")
    loss: GrpoLoss = option("grpo", "grpo: mean over trajectories of their means; dapo: mean over tokens; dr_grpo: sum over tokens by `max_length`")
    clip_epsilon: float = option(0.2, "ratios below 1 - this are clipped", least=0, most=1)
    clip_epsilon_high: float | None = option(None, "ratios above 1 + this are clipped (DAPO: 0.28); null: as below", least=0)
    ratio_cap: float | None = option(None, "no ratio counts more than this, even where clipping lets it (two-sided clipping)", above=1)
    kl_coef: float = option(0.01, "weight of the KL divergence from the model begun with", least=0)
    kl_correction: bool = option(True, "KL times the ratio, which is unbiased for tokens that an older policy wrote")
    old_logprobs: Literal["auto", "recompute"] = option("auto", "auto: those of the policy that wrote it, where known; else of the model begun with")
    packing: bool = option(False, "several sequences in a row of `max_length` tokens; none sees another")

    def faults(self) -> list[str]:
        low = self.ratio_cap is not None and self.ratio_cap <= 1 + (self.clip_epsilon if self.clip_epsilon_high is None else self.clip_epsilon_high)
        return [*super().faults(), *(["`ratio_cap` must be above where ratios are clipped"] if low else [])]


@dataclass(frozen=True, kw_only=True)
class PrmConfig(TrainConfig):
    labels: Literal["soft", "hard"] = option("soft", "soft: the step's reward in [0, 1]; hard: good or bad")
    separator: str = option("\n", "follows each step; its last token is where the step is judged")


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """Of eval_model.py."""

    data: str = option(..., "dataset version's folder, .jsonl or .parquet file, or s3:// of either (rows for SFT)")
    model: str = option(..., "folder or name of a model, or of an adapter")
    out: str | None = option(None, "file for the figures as JSON; null: standard output")
    split: str = option("test", "split of `data`")
    tokenizer: str | None = option(None, "its folder or name; null: the model's")
    chat_template: str | None = option(None, "Jinja file, or trl:<name>; null: the tokenizer's")
    max_length: int = option(2048, "tokens of a sequence at the most", least=2)
    over_long: OverLong = option("error", "what to do with a step that alone is too long")
    batch_size: int = option(4, "rows at a time", least=1)
    packing: bool = option(False, "several sequences in a row of `max_length` tokens")
    bf16: bool | None = option(None, "compute in bfloat16; null: where the GPU can")
    attention: Attention = option("auto", "auto: flash attention where it is installed, else sdpa")
    seed: int = option(42, "of the bootstrap", least=0)
    resamples: int = option(2000, "of the bootstrap, over trajectories", least=1)


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Of export.py."""

    run: str = option(..., "folder of a run that is trained: its `out`")
    model: str | None = option(None, "the model begun with, for an adapter; null: where the run had it")
    export: Export = option("onnx", "model: one model for Transformers and vLLM; onnx: that, and ONNX; none: neither")
    export_dtype: ExportDtype = option("auto", _DTYPE)

    def modules(self) -> list[str]:
        """Modules that these options need, and others do not."""
        return list(_ONNX) if self.export == "onnx" else []


@dataclass(frozen=True, kw_only=True)
class NewConfig:
    """Of new_model.py."""

    data: str = option(..., "dataset version's folder, .jsonl or .parquet file, or s3:// of either (rows for SFT)")
    out: str = option(..., "folder for model/ and onnx/")
    split: str = option("train", "split of `data` that the tokenizer is made from")
    vocab_size: int = option(1024, "tokens at the most; 256 bytes and the marks of the template among them", least=300)
    hidden_size: int = option(64, "width; a multiple of twice `heads`", least=8)
    layers: int = option(2, "blocks", least=1)
    heads: int = option(4, "of attention", least=1)
    kv_heads: int = option(2, "of keys and values; they divide `heads`", least=1)
    context: int = option(2048, "tokens of a conversation at the most", least=64)
    seed: int = option(42, "of the weights", least=0)

    def modules(self) -> list[str]:
        """Modules that these options need, and others do not."""
        return list(_ONNX)

    def faults(self) -> list[str]:
        found = []
        if self.hidden_size % (2 * self.heads):
            found.append("`hidden_size` must be a multiple of twice `heads`")
        if self.heads % self.kv_heads:
            found.append("`kv_heads` must divide `heads`")
        return found
