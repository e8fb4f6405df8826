import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from golden import golden

from gymline_trainer.config import DpoConfig, GrpoConfig, PrmConfig, SftConfig
from gymline_trainer.errors import ConfigError
from gymline_trainer.settings import command_line, read_file, read_options

TRAINER = Path(__file__).parents[2] / "containers/trainer"
GIVEN = {"data": "d", "model": "m"}


def fault(kind, **values):
    with pytest.raises(ConfigError) as caught:
        read_options(kind, {**GIVEN, **values})
    return str(caught.value)


def test_all_that_is_wrong_with_the_options_is_named_at_once_with_what_may_be_meant():
    text = fault(SftConfig, lerning_rate=1, epochs="abc", batch_size=0, lr_scheduler="cosin", bf16="yes", weight_decay=float("nan"))
    assert "`lerning_rate`; did you mean `learning_rate`?" in text
    assert '`epochs` must be a whole number, and not "abc"' in text
    assert "`batch_size` must be at least 1, and not 0" in text
    assert "`lr_scheduler` must be one of cosine, linear, constant" in text
    assert '`bf16` must be true or false or null, and not "yes"' in text
    assert "`weight_decay` must be at least 0, and not NaN" in text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_infinite_or_no_number_is_no_whole_number(value):
    assert "`epochs` must be a whole number, and not " in fault(SftConfig, epochs=value)
    assert "`max_steps` must be a whole number or null, and not " in fault(SftConfig, max_steps=value)


def test_options_that_cannot_go_together_are_named():
    assert "`eval_split`" in fault(SftConfig, save_best=True)
    assert "`label_smoothing`" in fault(DpoConfig, loss="ipo", label_smoothing=0.1)
    assert "`ratio_cap`" in fault(GrpoConfig, clip_epsilon_high=0.5, ratio_cap=1.4)


def test_packages_that_options_need_and_that_are_absent_are_named():
    if __import__("importlib.util").util.find_spec("bitsandbytes") is not None:
        pytest.skip("bitsandbytes is installed")
    assert "pip install bitsandbytes" in fault(SftConfig, qlora=True)


def test_numbers_may_be_written_as_yaml_takes_for_text(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("learning_rate: 2e-5\nepochs: 2.0\nlora_target_modules: [q_proj, v_proj]\n")
    made = read_options(SftConfig, {**GIVEN, **read_file(str(path))})
    assert (made.learning_rate, made.epochs, made.lora_target_modules) == (2e-5, 2, ("q_proj", "v_proj"))


def test_the_command_line_goes_before_the_file(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({**GIVEN, "out": "here", "epochs": 7, "seed": 1}))
    made, args = command_line(SftConfig, "", ["--config", str(path), "--out", "there", "--set", "seed=2", "--dry-run"])
    assert (made.data, made.out, made.epochs, made.seed, args.dry_run) == ("d", "there", 7, 2, True)


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "epochs: [1"), ("a.json", "{"), ("a.yaml", "- 1\n")])
def test_a_file_that_holds_no_options_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=name):
        read_file(str(tmp_path / name))


@pytest.mark.parametrize("name", ["sft", "dpo", "grpo", "prm"])
def test_the_samples_of_options_are_sound(name):
    kind = {"sft": SftConfig, "dpo": DpoConfig, "grpo": GrpoConfig, "prm": PrmConfig}[name]
    read_options(kind, {**GIVEN, **read_file(str(TRAINER / f"configs/{name}.yaml"))})


RENAMED = {"model_name_or_path": "model", "tokenizer_name": "tokenizer", "train_file": "data", "eval_file": "eval_data", "num_epochs": "epochs"}
RENAMED |= {"output_dir": "out", "resume_from_checkpoint": "resume", "save_best_model": "save_best", "wandb_project": "project"}
RENAMED |= {"wandb_run_name": "run_name", "chunk_long_trajectories": "chunk", "step_level_advantage": "advantage"}
# A chat template is always used, and a group has the size that the data gives it.
GONE = {"agent_format", "group_size"}
# Required, or better: bf16 where there is some, the adapter at all layers, a step's own advantage by kind.
OTHERWISE = {"model", "data", "out", "resume", "project", "bf16", "chunk", "lora_target_modules", "advantage"}


@pytest.mark.parametrize(("case", "kind"), [("defaults_sft", SftConfig), ("defaults_dpo", DpoConfig), ("defaults_grpo", GrpoConfig)])
def test_options_of_the_reference_are_there_with_its_defaults(case, kind):
    made = read_options(kind, GIVEN)
    for name, value in next(vector for vector in golden("trainer_config.json") if vector["name"] == case)["expected"].items():
        own = RENAMED.get(name, name)
        # Weights by rewards are of SFT, and whole prompts of pairs cannot be packed; options are where they act.
        if name in GONE or (own == "step_weighted_loss" and kind is not SftConfig):
            continue
        assert hasattr(made, own)
        if own not in OTHERWISE:
            assert getattr(made, own) == value, name


def run_without_torch(arguments):
    """A script in a process of its own: what it says, its code, and whether it imported torch."""
    code = (
        "import sys, runpy\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as left:\n    print(left.code, 'torch' in sys.modules, 'transformers' in sys.modules)\n"
    )
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=TRAINER)


@pytest.mark.parametrize("script", ["sft", "dpo", "grpo", "prm", "eval_model", "export"])
def test_wrong_options_end_a_script_with_1_before_torch_is_imported(script):
    wrong, meant = ("exprot", "export") if script == "export" else ("max_lenght", "max_length")
    done = run_without_torch([f"{script}.py", "--set", f"{wrong}=12"])
    assert done.stdout == "1 False False\n"
    assert f"did you mean `{meant}`?" in done.stderr and "Traceback" not in done.stderr


def test_rows_with_faults_end_a_script_with_1_before_torch_is_imported(tmp_path):
    rows = [tiny.sft_row(0), tiny.sft_row(1, messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}])]
    data = tiny.write_dataset(tmp_path / "set", "sft-messages", {"train": rows})
    done = run_without_torch(["sft.py", "--data", str(data), "--model", "none"])
    assert done.stdout == "1 False False\n"
    assert "train.jsonl:2" in done.stderr and "empty" in done.stderr and "Traceback" not in done.stderr
