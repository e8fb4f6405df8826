"""The same graph with its matrices in 4 bits: onnxruntime's MatMulNBits, symmetric, in blocks of 32 values.

Embeddings stay as they are, and where the head is tied to them it gets a copy of its own in 4 bits.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from .onnx_graph import INSIDE

QUANTIZED = "model_q4.onnx"
BLOCK = 32


def write_int4(source: Path, path: Path, inside: int = INSIDE) -> int:
    """How many matrices there are in 4 bits. source: the graph in float32."""
    import onnx

    make_quantizer = _quantizer()
    model = onnx.load(str(source))
    _untie(model)
    # Of accuracy level 4, activations are in 8 bits within a block: the kernel that is fast on processors.
    quantizer = make_quantizer(model, block_size=BLOCK, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    made = quantizer.model.model
    size = sum(len(tensor.raw_data) for tensor in made.graph.initializer)
    external = {"save_as_external_data": True, "location": f"{path.name}_data"} if size > inside else {}
    onnx.save_model(made, str(path), **external)
    return sum(node.op_type == "MatMulNBits" for node in made.graph.node)


def _quantizer() -> Any:
    """Its module has all logs of the program printed as soon as it is imported: that is taken back."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    from onnxruntime.quantization import matmul_nbits_quantizer

    root.setLevel(level)
    root.handlers[:] = handlers
    logging.getLogger(matmul_nbits_quantizer.__name__).setLevel(logging.WARNING)
    return matmul_nbits_quantizer.MatMulNBitsQuantizer


def _untie(model: Any) -> None:
    """Puts a matrix in place of one that is turned round as the graph runs, which the quantizer passes over."""
    from onnx import numpy_helper

    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    turned = {
        node.output[0]: node
        for node in graph.node
        if node.op_type == "Transpose" and node.input[0] in weights and len(weights[node.input[0]].dims) == 2
    }
    for name, node in turned.items():
        matrix = np.ascontiguousarray(numpy_helper.to_array(weights[node.input[0]]).T)
        graph.initializer.append(numpy_helper.from_array(matrix, name))
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for name, tensor in weights.items():
        if name not in used and name in {node.input[0] for node in turned.values()}:
            graph.initializer.remove(tensor)
