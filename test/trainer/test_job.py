"""Plans, models in S3, outputs in S3, and the program of training jobs as a whole, against a bucket on loopback."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import bucket
import pytest
import runs
import tiny

from gymline_trainer import plan
from gymline_trainer.errors import ConfigError, TrainerError
from gymline_trainer.launch import Launch
from gymline_trainer.s3_model import model_folder
from gymline_trainer.s3_output import read_manifest, upload_output

JOB = Path(__file__).parents[2] / "containers/trainer/job.py"


@pytest.fixture
def s3(tmp_path, monkeypatch):
    pytest.importorskip("boto3", reason="boto3 is not installed")
    home = tmp_path / "served"
    (home / "store").mkdir(parents=True)
    with bucket.serving(home) as address:
        for name, value in bucket.settings(address, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
        yield home / "store"


def put(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_options_are_checked_as_the_script_does_and_only_what_differs_from_the_defaults_is_printed(tmp_path):
    given = ["--data", "sft", "--model", "hub/model", "--set", "epochs=3", "--set", "learning_rate=1e-5", "--set", "packing=true"]
    assert plan.options("sft", given) == {"data": "sft", "model": "hub/model", "learning_rate": 1e-5, "packing": True}
    with pytest.raises(ConfigError, match="did you mean `learning_rate`"):
        plan.options("sft", [*given, "--set", "learing_rate=1"])
    with pytest.raises(ConfigError, match="there is no option `beta`"):
        plan.options("sft", [*given, "--set", "beta=1"])


@pytest.mark.parametrize(("option", "package"), [("qlora=true", "bitsandbytes"), ("report_to=[wandb]", "wandb"), ("attention=flash_attention_2", "flash-attn")])
def test_options_that_need_what_the_image_lacks_are_refused_whatever_is_installed_here(option, package):
    with pytest.raises(ConfigError, match=f"{package}, which the image of training jobs does not have"):
        plan.options("sft", ["--data", "sft", "--model", "hub/model", "--set", option])
    assert plan.options("sft", ["--data", "sft", "--model", "hub/model", "--set", "use_lora=true"])["use_lora"] is True


def test_of_a_model_in_s3_only_configuration_tokenizer_and_weights_are_fetched_and_once(s3, tmp_path):
    tiny.saved(s3 / "models/a/1")
    for other in ("onnx/model.onnx", "README.md", "pytorch_model.bin", "consolidated.safetensors", "optimizer.pt"):
        put(s3 / "models/a/1" / other)
    folder = model_folder("s3://store/models/a/1/", tmp_path / "cache")
    found = names(folder)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(found)
    assert not {"onnx/model.onnx", "README.md", "pytorch_model.bin", "consolidated.safetensors", "optimizer.pt"} & set(found)
    (folder / "tokenizer.json").write_bytes(b"x" * (folder / "tokenizer.json").stat().st_size)
    # Times are of whole seconds, and all of this may happen within one.
    os.utime(folder / "tokenizer.json", (1, 1))
    weights = (folder / "model.safetensors").stat().st_ino
    model_folder("s3://store/models/a/1", tmp_path / "cache")
    # One was changed here, and is fetched again by its time; the other is left alone.
    assert (folder / "tokenizer.json").read_bytes() == (s3 / "models/a/1/tokenizer.json").read_bytes()
    assert (folder / "model.safetensors").stat().st_ino == weights


def test_of_a_model_in_parts_those_that_its_index_names_are_fetched(s3, tmp_path):
    put(s3 / "m/config.json", "{}")
    put(s3 / "m/model.safetensors.index.json", json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}))
    put(s3 / "m/model-1.safetensors")
    put(s3 / "m/model-3.safetensors")
    with pytest.raises(TrainerError, match="model-2.safetensors, which is not there"):
        model_folder("s3://store/m", tmp_path / "cache")
    put(s3 / "m/model-2.safetensors")
    assert names(model_folder("s3://store/m", tmp_path / "cache")) == ["config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"]
    put(s3 / "m/model.safetensors.index.json", json.dumps({"weight_map": {"a": "../../evil.safetensors"}}))
    with pytest.raises(TrainerError, match="no index of weights"):
        model_folder("s3://store/m", tmp_path / "cache")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "nothing lies there"),
        (["adapter_config.json", "adapter_model.safetensors"], "is an adapter"),
        (["trained/config.json"], "give s3://store/m/trained"),
        (["config.json", "pytorch_model.bin"], "weights are pickled"),
    ],
)
def test_what_is_no_model_that_can_be_trained_is_named(s3, tmp_path, files, said):
    for name in files:
        put(s3 / "m" / name)
    with pytest.raises(TrainerError, match=said):
        model_folder("s3://store/m", tmp_path / "cache")


def test_the_manifest_of_an_output_is_written_last_and_lists_what_is_there(s3, tmp_path, monkeypatch):
    out = tmp_path / "out"
    for name in ("run.json", "trained/model.safetensors", "checkpoints/step-1/optimizer.pt", ".tmp-trained/half"):
        put(out / name, name)
    sent = []
    do_put = bucket._Objects.do_PUT
    monkeypatch.setattr(bucket._Objects, "do_PUT", lambda self: (sent.append(self.path), do_put(self)) and None)
    assert read_manifest("s3://store/models/a/1") is None
    assert upload_output(out, "s3://store/models/a/1", {"run": "abc"}) == 2
    assert sent[-1].split("?")[0].endswith("/models/a/1/manifest.json")
    manifest = read_manifest("s3://store/models/a/1")
    assert (manifest["schema"], manifest["run"]) == ("gymline.model.v1", "abc")
    assert [entry["path"] for entry in manifest["files"]] == ["run.json", "trained/model.safetensors"]
    before = {name: (s3 / "models/a/1" / name).read_bytes() for name in names(s3 / "models/a/1")}
    upload_output(out, "s3://store/models/a/1", {"run": "abc"})
    assert {name: (s3 / "models/a/1" / name).read_bytes() for name in names(s3 / "models/a/1")} == before


def launched(code: str, told: bool = False, processes: int = 1) -> int:
    before = signal.getsignal(signal.SIGTERM)
    launch = Launch()
    # This process is not the job's.
    signal.signal(signal.SIGTERM, before)
    launch.is_told = told
    launch._children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes if told else 0)]
    return launch.run([sys.executable, "-c", code], processes)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(1)", 1),
        ("raise SystemExit(2)", 2),
        ("raise SystemExit(75)", 75),
        ("import os; os.kill(os.getpid(), 9)", 1),
        ("import os; os.kill(os.getpid(), 11)", 139),
    ],
)
def test_how_a_script_ended_becomes_the_exit_code_that_says_whether_to_try_again(code, expected):
    assert launched(code) == expected


def test_a_script_that_is_told_to_stop_before_it_listens_is_to_be_tried_again():
    assert launched("import time; time.sleep(60)", told=True) == 75


def test_of_several_processes_one_that_fails_ends_the_others():
    waits = "import os, sys, time; sys.exit(1) if os.environ['RANK'] == '1' else time.sleep(60)"
    assert launched(waits, processes=2) == 1


def planned(s3: Path, algorithm: str = "sft", **options) -> str:
    data = runs.dataset(s3 / "datasets/tiny/1", algorithm)
    assert data.is_dir()
    tiny.saved(s3 / "models/base/1")
    common = {"batch_size": 1, "gradient_accumulation_steps": 1, "max_steps": 3, "save_steps": 1, "logging_steps": 1}
    value = {
        "schema": plan.SCHEMA,
        "run": "0123456789ab",
        "algorithm": algorithm,
        "options": {"data": "s3://store/datasets/tiny/1", "model": "s3://store/models/base/1", **common, **options},
        "output": "s3://store/models/tiny-sft/0123456789ab",
        "checkpoints": "s3://store/trainings/0123456789ab/checkpoints",
    }
    put(s3 / "trainings/0123456789ab/plan.json", json.dumps(value))
    return "s3://store/trainings/0123456789ab/plan.json"


def job(url: str, **env: str) -> tuple[int, str]:
    own = {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    ended = subprocess.run([sys.executable, str(JOB), url], env={**os.environ, **own, **env}, capture_output=True, text=True)
    return ended.returncode, ended.stderr


def test_a_job_trains_uploads_takes_its_checkpoints_away_and_does_nothing_when_it_runs_again(s3):
    url = planned(s3)
    code, said = job(url)
    assert code == 0, said
    output = s3 / "models/tiny-sft/0123456789ab"
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["plan"]["options"]["model"] == "s3://store/models/base/1"
    assert {"trained/model.safetensors", "run.json", "metrics.jsonl"} <= {entry["path"] for entry in manifest["files"]}
    assert names(s3 / "trainings") == ["0123456789ab/plan.json"]
    before = {name: (output / name).stat().st_mtime_ns for name in names(output)}
    code, said = job(url)
    assert (code, "done before" in said) == (0, True)
    assert {name: (output / name).stat().st_mtime_ns for name in names(output)} == before


def test_a_job_shares_its_run_out_over_processes(s3):
    code, said = job(planned(s3), GYMLINE_TRAINER_PROCESSES="2")
    assert code == 0, said
    assert json.loads((s3 / "models/tiny-sft/0123456789ab/run.json").read_text())["processes"] == 2


def test_a_job_names_what_would_fail_again_and_exits_with_1(s3):
    code, said = job(planned(s3, epochs="many"))
    assert code == 1 and "`epochs` must be a whole number" in said
    code, said = job(planned(s3, model="s3://store/models/none/1"))
    assert code == 1 and "s3://store/models/none/1: nothing lies there" in said
    put(s3 / "trainings/0123456789ab/plan.json", "{}")
    code, said = job("s3://store/trainings/0123456789ab/plan.json")
    assert code == 1 and "it is no gymline.training-plan.v1" in said
    assert not (s3 / "models/tiny-sft").exists()
