"""A model as an ONNX graph, laid out as onnxruntime's users and Transformers.js expect it.

A language model takes `input_ids` [B, T], `attention_mask` [B, P + T], `position_ids` [B, T] and, per layer N,
`past_key_values.N.key` and `.value` [B, heads, P, width]; it gives `logits` [B, T, vocabulary] and `present.N.key` and
`.value` [B, heads, P + T, width]. P may be 0. A judge of steps takes the first three, with P = 0, and gives `logits`
[B, T, 2].

Weights over a gibibyte, together, stand beside the graph in `<name>.onnx_data`: a file of the graph's own kind ends at two.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .errors import TrainerError
from .model import Head

GRAPH = "model.onnx"
# Bytes of weights within the graph's own file.
INSIDE = 1 << 30


class OnnxError(TrainerError):
    """The model has no form in ONNX that can be made here."""


class _WithCache(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[tuple[Tensor, Tensor]]) -> Any:
        from transformers import DynamicCache

        own = {"input_ids": input_ids, "attention_mask": attention_mask, "position_ids": position_ids}
        found = self.model(**own, past_key_values=DynamicCache(past), use_cache=True)
        return found.logits, [(layer.keys, layer.values) for layer in found.past_key_values.layers]


class _Judge(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor) -> Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids).logits


def cache_names(layers: int, of: str) -> list[str]:
    """of: `past_key_values` or `present`."""
    return [f"{of}.{layer}.{part}" for layer in range(layers) for part in ("key", "value")]


def cache_shape(config: Any) -> tuple[int, int, int]:
    """Layers, heads of keys and values, width of a head."""
    own = config.get_text_config()
    heads = getattr(own, "num_key_value_heads", None) or own.num_attention_heads
    width = getattr(own, "head_dim", None) or own.hidden_size // own.num_attention_heads
    return own.num_hidden_layers, heads, width


def write_graph(model: Any, head: Head, path: Path, inside: int = INSIDE) -> None:
    """model: in float32, on the CPU, to be evaluated. inside: bytes of weights that stand in the file itself. Raises OnnxError."""
    with _quietly():
        try:
            program = _language(model) if head == "language" else _judge(model)
        except Exception as error:
            # What an architecture breaks on may be anything, and is said in many lines.
            kind = type(model).__name__
            remedy = "set `export: model`, and serve it with Transformers or vLLM"
            raise OnnxError(f"{kind} cannot be written as ONNX ({type(error).__name__}: {str(error).strip()[:200]}); {remedy}") from error
    _save(program.model, path, inside)


def _language(model: Any) -> Any:
    layers, heads, width = cache_shape(model.config)
    # Sizes of 0 and 1 would be taken for constants.
    rows, new, before = 2, 3, 5
    past = [(torch.randn(rows, heads, before, width), torch.randn(rows, heads, before, width)) for _ in range(layers)]
    batch, sequence, total = _dimensions()
    earlier = {0: batch, 2: torch.export.Dim("past_sequence_length")}
    shapes = {"input_ids": {0: batch, 1: sequence}, "attention_mask": {0: batch, 1: total}, "position_ids": {0: batch, 1: sequence}}
    return torch.onnx.export(
        _WithCache(model).eval(),
        (*_sample(rows, new, before), past),
        dynamo=True,
        input_names=[*shapes, *cache_names(layers, "past_key_values")],
        output_names=["logits", *cache_names(layers, "present")],
        dynamic_shapes={**shapes, "past": [(earlier, earlier) for _ in range(layers)]},
        verbose=False,
    )


def _judge(model: Any) -> Any:
    batch, sequence, _ = _dimensions()
    names = ("input_ids", "attention_mask", "position_ids")
    return torch.onnx.export(
        _Judge(model).eval(),
        _sample(2, 3, 0),
        dynamo=True,
        input_names=list(names),
        output_names=["logits"],
        dynamic_shapes={name: {0: batch, 1: sequence} for name in names},
        verbose=False,
    )


def _dimensions() -> tuple[Any, Any, str]:
    return torch.export.Dim("batch_size"), torch.export.Dim("sequence_length"), "total_sequence_length"


def _sample(rows: int, new: int, before: int) -> tuple[Tensor, Tensor, Tensor]:
    ids = torch.arange(rows * new).reshape(rows, new)
    mask = torch.ones(rows, before + new, dtype=torch.long)
    return ids, mask, torch.arange(before, before + new).repeat(rows, 1)


def _save(model: Any, path: Path, inside: int) -> None:
    """Without what the exporter notes of the program that it ran in, such as paths of this machine."""
    import onnx_ir

    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
    for value in [*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values()]:
        value.metadata_props.clear()
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    size = sum(value.const_value.nbytes for value in model.graph.initializers.values())
    beside = f"{path.name}_data" if size > inside else None
    onnx_ir.save(model, str(path), external_data=beside)


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporter warns of what it does itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
