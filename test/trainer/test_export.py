"""What a run leaves for those who serve it. Graphs are run by onnxruntime here, apart from the trainer's own comparison."""

import hashlib
import json
import shutil
from pathlib import Path

import export
import numpy as np
import onnx
import onnxruntime
import pytest
import runs
import tiny
import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification, AutoTokenizer
from transformers.utils.chat_template_utils import render_jinja_template

from gymline_trainer import exporting, provenance
from gymline_trainer.chat import inference_template, template_of
from gymline_trainer.config import ExportConfig
from gymline_trainer.exported_model import MergeError
from gymline_trainer.exporting import ExportPlan, export_run
from gymline_trainer.onnx_check import VerificationError, check, compare
from gymline_trainer.onnx_graph import write_graph
from gymline_trainer.program import program
from gymline_trainer.run_record import RunError

LORA = {"use_lora": True, "lora_r": 16, "lora_alpha": 64, "learning_rate": 3e-2}
CASES = {
    "qwen2 adapter tied": ("qwen2", True, True),
    "qwen2 whole untied": ("qwen2", False, False),
    "llama adapter untied": ("llama", True, False),
    # Kept in bfloat16, as the model begun with.
    "llama whole tied": ("llama", False, True),
    "qwen3 adapter tied": ("qwen3", True, True),
}


def base_model(folder, kind="qwen2", seed=0, template=tiny.MARKED, dtype=torch.float32, **changes):
    words = tiny.tokenizer(template)
    model = getattr(tiny, kind)(words, seed, num_hidden_layers=1, initializer_range=0.3, **changes)
    model.to(dtype).save_pretrained(folder)
    words.save_pretrained(folder, save_jinja_files=False)
    return folder


def trained(home, algorithm="sft", **options):
    """A run of two steps, and what it exported."""
    data = runs.dataset(home / "set", algorithm)
    given = {"data": data, "model": home / "model", "out": home / "out", "max_steps": 2, "learning_rate": 1e-2, **options}
    assert runs.train(algorithm, **given) == 0
    return home / "out"


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", params=CASES, ids=lambda name: name.replace(" ", "-"))
def exported(request, tmp_path_factory):
    """Folder of a run that exported ONNX too."""
    kind, is_adapter, is_tied = CASES[request.param]
    home = tmp_path_factory.mktemp("run")
    dtype = torch.bfloat16 if request.param == "llama whole tied" else torch.float32
    base_model(home / "model", kind, dtype=dtype, tie_word_embeddings=is_tied)
    return trained(home, export="onnx", **(LORA if is_adapter else {}))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run of an adapter that exported its model alone; tests copy it."""
    home = tmp_path_factory.mktemp("plain")
    base_model(home / "model")
    trained(home, **LORA)
    return home


@pytest.fixture
def copied(plain, tmp_path):
    shutil.copytree(plain / "out", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    home = tmp_path_factory.mktemp("judge")
    base_model(home / "model", "llama")
    return trained(home, "prm", export="onnx", **LORA)


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def greedy(path, prompts, count):
    """Tokens that a graph chooses for prompts of different length in one batch, padded on the left, with its cache."""
    graph = session(path)
    longest = max(map(len, prompts))
    ids = np.array([[0] * (longest - len(own)) + own for own in prompts], np.int64)
    mask = np.array([[0] * (longest - len(own)) + [1] * len(own) for own in prompts], np.int64)
    positions = np.maximum(mask.cumsum(1) - 1, 0)
    shapes = {one.name: one.shape for one in graph.get_inputs() if one.name.startswith("past_key_values.")}
    past = {name: np.zeros((len(prompts), shape[1], 0, shape[3]), np.float32) for name, shape in shapes.items()}
    names = [one.name for one in graph.get_outputs()]
    chosen = []
    for _ in range(count):
        found = dict(zip(names, graph.run(names, {"input_ids": ids, "attention_mask": mask, "position_ids": positions, **past})))
        ids = found["logits"][:, -1:].argmax(-1)
        chosen.append(ids[:, 0])
        past = {name: found[name.replace("past_key_values", "present")] for name in shapes}
        mask = np.concatenate([mask, np.ones_like(ids)], 1)
        positions = positions[:, -1:] + 1
    return np.stack(chosen, 1).tolist()


def prompts_of(folder):
    words = AutoTokenizer.from_pretrained(folder)
    texts = ["Fix it.", "Run the tests and say what was done.", "def add(a, b):\n    return a - b\n\nWhat is wrong?"]
    made = []
    for text in texts:
        shown = words.apply_chat_template([{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True)
        made.append(words(shown, add_special_tokens=False)["input_ids"])
    return made


def torch_greedy(model, ids, count):
    """By computing everything anew for each token: no cache, no padding."""
    own = list(ids)
    with torch.no_grad():
        for _ in range(count):
            own.append(int(model(input_ids=torch.tensor([own])).logits[0, -1].argmax()))
    return own[len(ids) :]


def read(path):
    return json.loads(Path(path).read_text())


def hashes(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_a_graph_chooses_the_tokens_that_the_model_chooses_in_a_padded_batch_with_its_cache(exported):
    model = AutoModelForCausalLM.from_pretrained(exported / "model", dtype=torch.float32).eval()
    prompts = prompts_of(exported / "onnx")
    assert len({len(own) for own in prompts}) == 3
    expected = [torch_greedy(model, ids, 10) for ids in prompts]
    assert len({token for own in expected for token in own}) > 3
    assert greedy(exported / "onnx/onnx/model.onnx", prompts, 10) == expected
    assert [greedy(exported / "onnx/onnx/model.onnx", [ids], 10)[0] for ids in prompts] == expected


def test_the_logits_of_a_graph_are_those_of_the_model(exported):
    model = AutoModelForCausalLM.from_pretrained(exported / "model", dtype=torch.float32).eval()
    graph = session(exported / "onnx/onnx/model.onnx")
    for ids in prompts_of(exported / "onnx"):
        with torch.no_grad():
            expected = model(input_ids=torch.tensor([ids])).logits.numpy()
        row = np.array([ids], np.int64)
        shapes = {one.name: one.shape for one in graph.get_inputs() if one.name.startswith("past_key_values.")}
        past = {name: np.zeros((1, shape[1], 0, shape[3]), np.float32) for name, shape in shapes.items()}
        own = {"input_ids": row, "attention_mask": np.ones_like(row), "position_ids": np.arange(len(ids))[None]}
        assert np.abs(graph.run(["logits"], {**own, **past})[0] - expected).max() < 1e-4


def test_the_model_of_a_run_says_what_was_trained(exported):
    """An adapter is put on its model by PEFT, here as it would be without merging."""
    ids = torch.tensor([prompts_of(exported / "model")[2]])
    if (exported / "trained/adapter_config.json").exists():
        from peft import AutoPeftModelForCausalLM

        model = AutoPeftModelForCausalLM.from_pretrained(exported / "trained").eval()
    else:
        model = AutoModelForCausalLM.from_pretrained(exported / "trained").eval()
    before = AutoModelForCausalLM.from_pretrained(exported.parent / "model", dtype=torch.float32).eval()
    one = AutoModelForCausalLM.from_pretrained(exported / "model", dtype=torch.float32).eval()
    with torch.no_grad():
        expected, found, begun = (of(input_ids=ids).logits for of in (model, one, before))
    is_rounded = read(exported / "training.json")["export"]["dtype"] == "bfloat16"
    assert float((found - expected).abs().max()) < (0.05 * float(expected.abs().max()) if is_rounded else 1e-4)
    # What was trained is something.
    assert float((begun - expected).abs().max()) > 0.05
    assert not list((exported / "model").glob("adapter*"))


def test_how_near_an_export_is_to_the_model_is_recorded(exported):
    record = read(exported / "training.json")["export"]
    assert record["format"] == "onnx"
    verified = record["verification"]
    assert (verified["model"]["saved"] == 0) == (record["dtype"] == "float32")
    assert verified["onnx"]["max_abs_difference"] < 1e-4
    assert verified["onnx"]["prompts"] == 4 and verified["onnx"]["tokens"] == 96 == verified["onnx"]["same_tokens"]
    for name in ("alone_prefill", "batch_prefill", "alone_steps", "batch_steps"):
        assert 0 <= verified["onnx"][name] < 1e-4
    assert 1e-3 < verified["onnx_q4"]["max_abs_difference"] < 100
    assert 0 < verified["onnx_q4"]["same_tokens"] <= 96


def test_in_4_bits_every_matrix_is_and_the_head_too(exported):
    graph = onnx.load(str(exported / "onnx/onnx/model_q4.onnx")).graph
    kinds = [node.op_type for node in graph.node]
    # Four of attention, three of what follows, and the head.
    assert kinds.count("MatMulNBits") == 8 == read(exported / "training.json")["export"]["verification"]["onnx_q4"]["matrices"]
    # Besides scales, the embeddings alone are left.
    large = [tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2]
    assert len([name for name in large if not name.endswith("_scales")]) == 1
    tokens = greedy(exported / "onnx/onnx/model_q4.onnx", prompts_of(exported / "onnx"), 3)
    assert [len(own) for own in tokens] == [3, 3, 3]


def test_a_graph_names_nothing_of_the_machine_it_was_made_on(exported):
    for path in (exported / "onnx/onnx").iterdir():
        data = path.read_bytes()
        assert b"site-packages" not in data and b"gymline_trainer" not in data and str(exported).encode() not in data


def test_the_folder_for_onnxruntime_needs_no_other(exported):
    names = {path.relative_to(exported / "onnx").as_posix() for path in (exported / "onnx").rglob("*") if path.is_file()}
    assert names == {
        *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
        *("onnx/model.onnx", "onnx/model_q4.onnx"),
    }
    graph = session(exported / "onnx/onnx/model.onnx")
    inputs = {one.name: one.shape for one in graph.get_inputs()}
    config = read(exported / "onnx/config.json")
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    for name in ("past_key_values.0.key", "past_key_values.0.value"):
        assert inputs[name] == ["batch_size", config["num_key_value_heads"], "past_sequence_length", width]
    assert inputs["input_ids"] == ["batch_size", "sequence_length"]
    assert [one.name for one in graph.get_outputs()] == ["logits", "present.0.key", "present.0.value"]


def test_sizes_have_their_names_however_many_layers_there_are(tmp_path):
    write_graph(tiny.qwen2(tiny.tokenizer(), num_hidden_layers=3), "language", tmp_path / "model.onnx")
    for one in session(tmp_path / "model.onnx").get_inputs():
        past = one.name.startswith("past_key_values.")
        length = "past_sequence_length" if past else "total_sequence_length" if one.name == "attention_mask" else "sequence_length"
        assert [size for size in one.shape if isinstance(size, str)] == ["batch_size", length], one.name


def test_every_file_of_a_run_is_listed_with_its_hash(exported):
    record = read(exported / "training.json")
    assert record["schema"] == "gymline.training.v1" and record["algorithm"] == "sft"
    found = hashes(exported)
    own = {name: digest for name, digest in found.items() if not name.startswith("checkpoints/") and name != "training.json"}
    assert {entry["path"]: entry["sha256"] for entry in record["files"]} == own
    assert all(entry["bytes"] == (exported / entry["path"]).stat().st_size for entry in record["files"])
    manifest = (exported.parent / "set/manifest.json").read_bytes()
    assert record["dataset"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert record["options"]["max_steps"] == 2 and record["seeds"] == {"seed": 42}
    assert record["packages"]["torch"] == torch.__version__.split("+")[0]


def test_a_judge_of_steps_says_the_same_in_onnx(judge):
    model = AutoModelForTokenClassification.from_pretrained(judge / "model").eval()
    words = AutoTokenizer.from_pretrained(judge / "onnx")
    prompts = [words(text)["input_ids"] for text in ("[user]\nFix it.", "[user]\nFix the fault.\n[assistant]\nStep 1, good.\n")]
    longest = max(map(len, prompts))
    for side in ("left", "right"):
        pads = [[0] * (longest - len(own)) for own in prompts]
        rows = [pad + own if side == "left" else own + pad for own, pad in zip(prompts, pads)]
        masks = [[0] * len(pad) + [1] * len(own) if side == "left" else [1] * len(own) + [0] * len(pad) for own, pad in zip(prompts, pads)]
        mask = np.array(masks, np.int64)
        inputs = {"input_ids": np.array(rows, np.int64), "attention_mask": mask, "position_ids": np.maximum(mask.cumsum(1) - 1, 0)}
        found = session(judge / "onnx/onnx/model.onnx").run(["logits"], inputs)[0]
        assert found.shape == (2, longest, 2)
        for row, ids in enumerate(prompts):
            with torch.no_grad():
                expected = model(input_ids=torch.tensor([ids])).logits[0].numpy()
            assert np.abs(found[row][mask[row] == 1] - expected).max() < 1e-4
    assert model.config.id2label == {0: "bad", 1: "good"}
    verified = read(judge / "training.json")["export"]["verification"]
    assert verified["onnx"]["max_abs_difference"] < 1e-4 and "tokens" not in verified["onnx"]


def test_the_chat_template_stands_in_tokenizer_config_without_the_marks_of_training(plain):
    config = read(plain / "out/model/tokenizer_config.json")
    assert "generation %}" not in config["chat_template"]
    assert not list((plain / "out/model").glob("*.jinja"))
    messages = tiny.conversation(2)
    trained_by, exported = (AutoTokenizer.from_pretrained(plain / f"out/{name}") for name in ("trained", "model"))
    assert "{%- generation %}" in trained_by.chat_template
    shown = [words.apply_chat_template(messages, tools=tiny.TOOLS, tokenize=False) for words in (trained_by, exported)]
    assert shown[0] == shown[1] and "<tool_call>" in shown[1]


@pytest.mark.parametrize("name", [None, *(f"trl:{of}_training" for of in ("qwen3", "qwen2_5", "llama3", "gptoss"))])
def test_without_its_marks_a_template_renders_the_same(name):
    template = tiny.MARKED if name is None else template_of(name)
    plain_one = inference_template(template)
    assert "generation %}" in template.replace("-%}", " %}") and "endgeneration" not in plain_one
    shown = []
    for one in (template, plain_one):
        try:
            shown.append(render_jinja_template(conversations=[tiny.conversation(3)], tools=tiny.TOOLS, chat_template=one, add_generation_prompt=True)[0])
        except TemplateError as error:
            shown.append(str(error))
    assert shown[0] == shown[1]


def test_the_template_that_a_run_was_given_is_that_of_its_model(tmp_path):
    base_model(tmp_path / "model", template=tiny.UNMARKED)
    (tmp_path / "own.jinja").write_text(tiny.MARKED.replace("# Tools", "# Own tools"))
    out = trained(tmp_path, chat_template=tmp_path / "own.jinja")
    assert "# Own tools" in read(out / "model/tokenizer_config.json")["chat_template"]


def test_what_ends_a_turn_ends_generation_where_the_model_knew_but_the_end_of_a_text(tmp_path):
    base_model(tmp_path / "model", eos_token_id=0)
    out = trained(tmp_path)
    words = AutoTokenizer.from_pretrained(out / "model")
    assert read(out / "model/generation_config.json")["eos_token_id"] == [0, words.convert_tokens_to_ids("<|im_end|>")]


def test_the_configuration_has_the_names_that_older_readers_know(tmp_path):
    base_model(tmp_path / "model", rope_theta=5e5)
    config = read(trained(tmp_path) / "model/config.json")
    assert config["rope_theta"] == 5e5 and config["torch_dtype"] == "float32"
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out/model").config.rope_parameters["rope_theta"] == 5e5


def test_weights_are_kept_as_the_model_begun_with_has_them_and_in_a_graph_in_float32(exported):
    dtype = read(exported.parent / "model/config.json")["dtype"]
    assert read(exported / "training.json")["export"]["dtype"] == dtype == read(exported / "model/config.json")["dtype"]
    assert str(AutoModelForCausalLM.from_pretrained(exported / "model", dtype="auto").dtype) == f"torch.{dtype}"
    assert read(exported / "onnx/config.json")["dtype"] == "float32"


def test_weights_too_large_for_a_graph_stand_beside_it(copied, plain):
    export_run(copied, ExportPlan("onnx", inside=0), lambda line: None)
    names = {path.name for path in (copied / "onnx/onnx").iterdir()}
    assert names == {"model.onnx", "model.onnx_data", "model_q4.onnx", "model_q4.onnx_data"}
    assert read(copied / "onnx/config.json")["transformers.js_config"]["use_external_data_format"] == {"model.onnx": 1, "model_q4.onnx": 1}
    model = AutoModelForCausalLM.from_pretrained(copied / "model").eval()
    prompts = prompts_of(copied / "onnx")
    assert greedy(copied / "onnx/onnx/model.onnx", prompts, 4) == [torch_greedy(model, ids, 4) for ids in prompts]
    assert {entry["path"] for entry in read(copied / "training.json")["files"]} >= {f"onnx/onnx/{name}" for name in names}


def test_a_graph_that_is_not_the_model_is_an_error_and_leaves_all_as_it_was(copied, exported, monkeypatch):
    before = hashes(copied)

    def of_another(model, head, path, inside):
        path.parent.mkdir(parents=True)
        shutil.copyfile(exported / "onnx/onnx/model.onnx", path)

    monkeypatch.setattr(exporting, "write_graph", of_another)
    with pytest.raises(VerificationError, match=r"model\.onnx: "):
        export_run(copied, ExportPlan("onnx"), lambda line: None)
    assert hashes(copied) == before
    assert not (copied / ".tmp-export").exists()


def test_the_comparison_finds_a_model_that_is_another_by_little(exported):
    path, probes = exported / "onnx/onnx/model.onnx", [[5, 6, 7], [9, 8, 7, 6, 5, 4]]
    model = AutoModelForCausalLM.from_pretrained(exported / "model", dtype=torch.float32).eval()
    found = compare(model, path, "language", probes)
    assert found.is_equal and found.tokens == 48
    check(found, path)
    with torch.no_grad():
        model.model.norm.weight[3] += 0.01
    found = compare(model, path, "language", probes)
    assert not found.is_equal and found.largest > 1e-3
    with pytest.raises(VerificationError, match=r"model\.onnx: the graph is not the model: logits differ by .*nothing was exported"):
        check(found, path)


def test_a_graph_that_cannot_be_run_is_named(judge, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes((judge / "onnx/onnx/model.onnx").read_bytes()[:1000])
    with pytest.raises(VerificationError, match="model.onnx: onnxruntime cannot load it"):
        compare(None, path, "steps", [[1]])


def test_the_record_is_written_last(copied, monkeypatch):
    """Until all it lists stands, there is none."""
    assert (copied / "training.json").exists()

    def fails(run, record):
        raise OSError("no space left")

    monkeypatch.setattr(exporting, "write_training", fails)
    with pytest.raises(OSError, match="no space left"):
        export_run(copied, ExportPlan("model"), lambda line: None)
    assert (copied / "model/config.json").exists() and not (copied / "training.json").exists()


def test_a_run_that_exports_less_takes_away_what_stood_there(copied):
    (copied / "onnx").mkdir()
    (copied / "onnx/config.json").write_text("{}")
    export_run(copied, ExportPlan("none"), lambda line: None)
    assert not (copied / "onnx").exists() and not (copied / "model").exists()
    record = read(copied / "training.json")
    assert record["export"] == {"format": "none"} and "trained/adapter_model.safetensors" in {entry["path"] for entry in record["files"]}


def test_the_card_names_data_options_figures_and_how_to_load_it(judge, plain):
    card = (plain / "out/README.md").read_text()
    record = read(plain / "out/training.json")
    for said in (record["dataset"]["version"], record["dataset"]["manifest_sha256"], "| lora\\_r | 16 |".replace("\\", ""), "vllm serve ./model"):
        assert said in card
    assert "| rows | 7 |" in card and "AutoModelForCausalLM" in card and "| grad_norm | " in card
    # A folder of some machine is no name on a hub.
    assert "base_model:" not in card
    assert "AutoModelForTokenClassification" in (judge / "README.md").read_text()


def script(run, **options):
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={json.dumps(str(value))}")]
    return program(ExportConfig, export.__doc__, export.main, ["--run", str(run), *settings])


def test_a_run_is_exported_later_by_a_command_of_its_own(copied, plain):
    (copied / "training.json").unlink()
    assert script(copied, export="model", export_dtype="float16") == 0
    assert AutoModelForCausalLM.from_pretrained(copied / "model", dtype="auto").dtype == torch.float16
    assert read(copied / "training.json")["export"]["dtype"] == "float16"


def test_an_adapter_whose_model_has_moved_is_exported_with_its_new_place(copied, plain, tmp_path, capsys):
    record = read(copied / "run.json")
    record["config"]["model"] = str(tmp_path / "gone")
    (copied / "run.json").write_text(json.dumps(record))
    assert script(copied, export="model") == 1
    assert "name the model that was begun with as `model`" in capsys.readouterr().err
    assert script(copied, export="model", model=plain / "model") == 0


def test_an_adapter_that_was_cut_short_is_named(copied, capsys):
    path = copied / "trained/adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    assert script(copied, export="model") == 1
    said = capsys.readouterr().err
    assert f"{copied / 'trained'}: its weights cannot be read" in said and "Traceback" not in said
    assert read(copied / "training.json")["export"]["format"] == "model"


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_model_that_was_cut_short_is_named(tmp_path, file, capsys):
    base_model(tmp_path / "model")
    out = trained(tmp_path, export="none")
    path = out / "trained" / file
    path.write_bytes(path.read_bytes()[:200])
    assert script(out, export="model") == 1
    said = capsys.readouterr().err
    assert str(out / "trained") in said and "Traceback" not in said
    assert not (out / "model").exists() and not (out / ".tmp-export").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "there is no run.json in it"),
        (lambda path: path.write_text("{"), "it is no record of a run"),
        (lambda path: path.write_text('{"schema": "gymline.training-run.v9"}'), "its schema is not gymline.training-run.v1"),
        (lambda path: path.write_text('{"schema": "gymline.training-run.v1", "algorithm": "ppo"}'), "`ppo` is missing or unknown"),
        (lambda path: path.write_text(json.dumps({**read(path), "dataset": None})), "`dataset` is no object"),
    ],
)
def test_a_folder_that_is_no_run_is_named(copied, change, said):
    change(copied / "run.json")
    with pytest.raises(RunError, match=said):
        export_run(copied, ExportPlan("model"), lambda line: None)


def test_a_run_without_its_trained_model_is_named(copied):
    shutil.rmtree(copied / "trained")
    (copied / "trained").mkdir()
    with pytest.raises((MergeError, Exception), match="trained"):
        export_run(copied, ExportPlan("model"), lambda line: None)


def test_an_adapter_on_a_head_that_is_tied_is_refused_and_not_merged_wrongly(tmp_path, capsys):
    base_model(tmp_path / "model", tie_word_embeddings=True)
    data = runs.dataset(tmp_path / "set", "sft")
    options = {"data": data, "model": tmp_path / "model", "out": tmp_path / "out", "max_steps": 2, **LORA}
    assert runs.train("sft", **options, lora_target_modules=["q_proj", "lm_head"]) == 1
    assert "leave `lm_head` and `embed_tokens` out of `lora_target_modules`" in capsys.readouterr().err
    assert (tmp_path / "out/trained/adapter_model.safetensors").exists() and not (tmp_path / "out/model").exists()


def test_a_dry_run_exports_nothing_and_says_what_it_would(copied, capsys):
    before = hashes(copied)
    assert program(ExportConfig, export.__doc__, export.main, ["--run", str(copied), "--dry-run"]) == 0
    assert "export: onnx" in capsys.readouterr().out and hashes(copied) == before


def test_matrices_in_4_bits_are_what_they_were_but_for_rounding(exported):
    """The largest of each block of 32 values has 8 steps: no weight is further off than one step of its block."""
    graph = onnx.load(str(exported / "onnx/onnx/model_q4.onnx")).graph
    own = AutoModelForCausalLM.from_pretrained(exported / "model", dtype=torch.float32).lm_head.weight.detach().numpy()
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    sizes = lambda node: {value.name: value.i for value in node.attribute}
    [head] = [node for node in graph.node if node.op_type == "MatMulNBits" and sizes(node)["N"] == len(own)]
    assert sizes(head)["block_size"] == 32 and sizes(head)["bits"] == 4
    packed, scales = tensors[head.input[1]], tensors[head.input[2]].reshape(len(own), -1)
    steps = np.stack([packed & 15, packed >> 4], -1).reshape(len(own), -1).astype(np.float32) - 8
    scale = np.repeat(scales, 32, axis=1)
    assert np.all(np.abs(steps * scale - own) <= np.abs(scale) * 1.001)
    assert np.abs(steps * scale - own).max() > 1e-3


def test_a_model_that_was_fetched_is_named_by_its_address(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "cache/s3/bucket/models"
    base_model(home / "model")
    data = runs.dataset(tmp_path / "set", "sft")
    assert runs.train("sft", data=data, model=home / "model", out=tmp_path / "out", max_steps=1) == 0
    assert read(tmp_path / "out/training.json")["base_model"] == "s3://bucket/models/model"
    card = (tmp_path / "out/README.md").read_text()
    assert "of `s3://bucket/models/model` on dataset" in card and "base_model:" not in card


def test_the_commit_is_that_of_the_program_or_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("GYMLINE_COMMIT", "abc123")
    assert provenance.program_commit() == "abc123"
    monkeypatch.delenv("GYMLINE_COMMIT")
    # In an image the scripts stand so near the root that no repository can be above them.
    monkeypatch.setattr(provenance, "__file__", "/app/gymline_trainer/provenance.py")
    assert provenance.program_commit() is None
