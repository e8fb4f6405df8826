"""From a run to what serves it: beside `trained/` and `run.json`, in the same folder

  model/          one model for Transformers and vLLM (exported_model.py)
  onnx/           config.json, generation_config.json, tokenizer.json, tokenizer_config.json,
                  onnx/model.onnx in float32, onnx/model_q4.onnx in 4 bits (onnx_graph.py, onnx_int4.py)
  README.md       the model card (card.py)
  training.json   what all this is, with the hash of every file; written last (run_record.py)

Everything is made and compared with the trained model in `.tmp-export` first. So what fails leaves the folder as it was.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from .card import model_card
from .chat import ChatFormat, inference_template, tokenizer_of
from .config import Export, ExportDtype
from .exported_model import merged, write_config, write_model, write_tokenizer
from .model import Head, from_pretrained
from .onnx_check import VerificationError, check, compare
from .onnx_graph import GRAPH, INSIDE, write_graph
from .onnx_int4 import BLOCK, QUANTIZED, write_int4
from .probes import close_enough, logits_alone, probes_of
from .run_record import RunRecord, read_run, write_training

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_BESIDE = ".tmp-export"


@dataclass(frozen=True)
class ExportPlan:
    """what: none, model, or onnx (which has the model too). dtype: of the weights in model/. base: what the adapter was
    trained on, where it has moved. inside: bytes of weights that stand in a graph's own file.
    """

    what: Export
    dtype: ExportDtype = "auto"
    base: str | None = None
    inside: int = INSIDE


def export_run(folder: Path, plan: ExportPlan, say: Callable[[str], None] = print) -> None:
    """folder: `out` of a run that is trained. Raises TrainerError; then all is as it was."""
    run = read_run(folder)
    beside = folder / _BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        made = {} if plan.what == "none" else _export(run, plan, beside, say)
        record = {"format": plan.what, **made}
        (beside / "README.md").write_text(model_card(run, record))
        _put(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    write_training(run, record)
    say(f"exported: {', '.join(str(folder / name) for name in ('model', 'onnx', 'README.md') if (folder / name).exists())}")


def _put(beside: Path, folder: Path) -> None:
    """What an earlier export left goes: all that stands there is of one model."""
    (folder / "training.json").unlink(missing_ok=True)
    for name in ("model", "onnx", "README.md"):
        old, new = folder / name, beside / name
        if old.is_dir():
            shutil.rmtree(old)
        if new.exists():
            new.replace(old)


def _export(run: RunRecord, plan: ExportPlan, beside: Path, say: Callable[[str], None]) -> dict[str, Any]:
    trained = run.folder / "trained"
    head: Head = "steps" if run.algorithm == "prm" else "language"
    tokenizer = tokenizer_of(str(trained), "run")
    template = ChatFormat(tokenizer).template if head == "language" else None
    probes = probes_of(tokenizer, head)
    say("one model …")
    own = merged(trained, plan.base or run.config.model, head, probes)
    expected = logits_alone(own.model, probes)
    named = run.value.get("base_dtype", "float32") if plan.dtype == "auto" else plan.dtype
    write_model(own.model, tokenizer, beside / "model", template, _DTYPES.get(named, torch.float32))
    difference = own.difference
    del own
    # As others will read it, in float32 whatever it is kept in.
    model = from_pretrained(str(beside / "model"), head).eval()
    kept = _kept(model, probes, expected, named)
    record: dict[str, Any] = {"dtype": named, "verification": {"model": {"merged": difference, "saved": kept, "prompts": len(probes)}}}
    if plan.what == "onnx":
        write_config(beside / "onnx", model)
        generation = beside / "model/generation_config.json"
        if generation.exists():
            shutil.copyfile(generation, beside / "onnx/generation_config.json")
        write_tokenizer(tokenizer, beside / "onnx", None if template is None else inference_template(template))
        record["verification"] |= _graphs(model, head, beside / "onnx/onnx", probes, plan.inside, say)
        _name_external(beside / "onnx", model)
        record["int4"] = {"block_size": BLOCK, "symmetric": True, "accuracy_level": 4}
    return record


def write_export(model: Any, tokenizer: Any, folder: Path) -> None:
    """model/ and onnx/ with its graph in float32, of a language model that no run has made. Raises VerificationError."""
    template = ChatFormat(tokenizer).template
    write_model(model, tokenizer, folder / "model", template, torch.float32)
    write_config(folder / "onnx", model)
    shutil.copyfile(folder / "model/generation_config.json", folder / "onnx/generation_config.json")
    write_tokenizer(tokenizer, folder / "onnx", inference_template(template))
    graph = folder / "onnx/onnx" / GRAPH
    write_graph(model, "language", graph, INSIDE)
    check(compare(model, graph, "language", probes_of(tokenizer, "language")), graph)


def _kept(model: Any, probes: list[list[int]], expected: list[Any], dtype: str) -> float:
    """Largest difference of logits through writing and reading. Raises VerificationError."""
    found = logits_alone(model, probes)
    difference = max(float((one - other).abs().max()) for one, other in zip(found, expected))
    # In half precision weights are rounded; what is no number is wrong in any.
    if difference != difference or (dtype == "float32" and not close_enough(difference, expected)):
        raise VerificationError(f"read again, it is another model (logits differ by {difference:.3g}); nothing was exported", "model")
    return difference


def _graphs(model: Any, head: Head, folder: Path, probes: list[list[int]], inside: int, say: Callable[[str], None]) -> dict[str, Any]:
    say("ONNX in float32 …")
    write_graph(model, head, folder / GRAPH, inside)
    whole = compare(model, folder / GRAPH, head, probes)
    check(whole, folder / GRAPH)
    say(f"  logits differ by {whole.largest:.2g} at the most")
    say("ONNX in 4 bits …")
    matrices = write_int4(folder / GRAPH, folder / QUANTIZED, inside)
    rounded = compare(model, folder / QUANTIZED, head, probes)
    if rounded.largest != rounded.largest:
        raise VerificationError("in 4 bits the model's logits are no numbers; nothing was exported", QUANTIZED)
    chosen = "" if rounded.tokens is None else f"; {rounded.same_tokens} of {rounded.tokens} tokens are the same"
    say(f"  logits differ by {rounded.largest:.2g} at the most{chosen}")
    return {"onnx": whole.record(), "onnx_q4": {**rounded.record(), "matrices": matrices}}


def _name_external(folder: Path, model: Any) -> None:
    """Says in config.json which graphs have weights beside them: Transformers.js does not look."""
    files = {graph: int((folder / f"onnx/{graph}_data").exists()) for graph in (GRAPH, QUANTIZED)}
    if any(files.values()):
        write_config(folder, model, {"transformers.js_config": {"use_external_data_format": files}})
