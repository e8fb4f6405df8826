import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import runs
import tiny

from gymline_trainer.checkpoints import Checkpoints, CorruptCheckpointError, verify

TRAINER = Path(__file__).parents[2] / "containers/trainer"
LORA = {"use_lora": True, "lora_dropout": 0.3}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A model, and a set for each algorithm."""
    folder = tmp_path_factory.mktemp("resume")
    os.environ["GYMLINE_TRAINER_CACHE"] = str(folder / "cache")
    tiny.saved(folder / "model")
    for algorithm in runs.SCRIPTS:
        test = [tiny.sft_row(100, rewards=[0.5, 0.7])] if algorithm == "sft" else []
        runs.dataset(folder / algorithm, algorithm, test=test)
    yield folder
    del os.environ["GYMLINE_TRAINER_CACHE"]


def options(home, algorithm, out, **more):
    return {"data": home / algorithm, "model": home / "model", "out": out, "save_steps": 2, **more}


def killed_at(count, algorithm, given):
    """kill -9 when so many files have been brought to disk: in the midst of writing a checkpoint."""

    def act():
        done = 0
        to_disk = os.fsync

        def fsync(handle):
            nonlocal done
            done += 1
            if done == count:
                os.kill(os.getpid(), signal.SIGKILL)
            to_disk(handle)

        os.fsync = fsync
        return runs.train(algorithm, **given)

    return runs.in_child(act)


def syncs_of(folder):
    """How often a checkpoint of these files goes to disk: each file, each folder in it, the list, the folder, and its own."""
    return sum(1 for path in folder.rglob("*") if path.name != "complete.json") + 3


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [
        ("sft", {}),
        ("sft", {**LORA, "packing": True, "max_length": 600, "logging_steps": 3}),
        ("sft", {"eval_split": "test", "save_best": True, "eval_steps": 1, "step_weighted_loss": True, "curriculum": True}),
        ("dpo", {}),
        ("grpo", {"advantage": "credit", **LORA}),
        ("prm", {}),
    ],
    ids=["sft", "adapter with dropout, packed", "best, curriculum", "dpo", "grpo", "prm"],
)
def test_a_run_that_was_killed_while_it_saved_and_goes_on_has_the_bits_of_one_that_was_not(home, tmp_path, algorithm, more):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert runs.train(algorithm, **options(home, algorithm, undisturbed, **more)) == 0
    one = syncs_of(sorted((undisturbed / "checkpoints").glob("step-*"))[0])
    before = syncs_of(undisturbed / "checkpoints/reference") if (undisturbed / "checkpoints/reference").exists() else 0
    # Once while the second checkpoint is half written; of the best models, there are some more in between.
    given = options(home, algorithm, killed, **more)
    assert killed_at(before + one + one // 2, algorithm, given) == -signal.SIGKILL
    assert not (killed / "trained").exists()
    assert list((killed / "checkpoints").glob(".tmp-*"))
    assert runs.train(algorithm, **given) == 0
    assert runs.result(killed) == runs.result(undisturbed)
    assert not list((killed / "checkpoints").glob(".tmp-*"))


def test_a_run_may_be_killed_at_any_moment_of_its_saving(home, tmp_path):
    """Killed over and over, at the first, second, third … file of what it saves, it gets to the end with the same bits."""
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert runs.train("sft", **options(home, "sft", undisturbed, epochs=1)) == 0
    given = options(home, "sft", killed, epochs=1)
    one = syncs_of(sorted((undisturbed / "checkpoints").glob("step-*"))[0])
    for count in range(1, one + 2, 2):
        assert killed_at(count, "sft", given) == -signal.SIGKILL
    assert runs.train("sft", **given) == 0
    assert runs.result(killed) == runs.result(undisturbed)


def test_sigterm_saves_and_ends_with_75_and_the_run_goes_on_to_the_same_bits(home, tmp_path):
    """The script as a program, as Batch runs it."""
    undisturbed, stopped = tmp_path / "undisturbed", tmp_path / "stopped"
    assert runs.train("sft", **options(home, "sft", undisturbed, epochs=12, save_steps=1000)) == 0
    path = tmp_path / "run.json"
    given = {"batch_size": 1, "gradient_accumulation_steps": 2, "epochs": 12, "learning_rate": 1e-3, "logging_steps": 1}
    path.write_text(json.dumps({**given, **{name: str(value) for name, value in options(home, "sft", stopped).items()}, "save_steps": 1000}))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen([sys.executable, "sft.py", "--config", str(path)], cwd=TRAINER, env=env, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in child.stderr:
            said.append(line)
            if line.startswith("step 3 "):
                child.send_signal(signal.SIGTERM)
        assert child.wait() == 75, "".join(said)
    finally:
        child.kill()
        child.stderr.close()
    assert "start it again" in said[-1]
    assert len(list((stopped / "checkpoints").glob("step-*"))) == 1
    assert not (stopped / "trained").exists()
    assert runs.train("sft", **{**options(home, "sft", stopped), "epochs": 12, "save_steps": 1000}) == 0
    assert runs.result(stopped) == runs.result(undisturbed)


def test_a_corrupt_checkpoint_is_named_and_the_one_before_it_is_taken(home, tmp_path, capsys):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    assert runs.train("sft", **options(home, "sft", undisturbed)) == 0
    shutil.copytree(undisturbed, out)
    shutil.rmtree(out / "trained")
    newest = sorted((out / "checkpoints").glob("step-*"))[-1]
    broken = newest / "optimizer.pt"
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    capsys.readouterr()
    assert runs.train("sft", **options(home, "sft", out)) == 0
    said = capsys.readouterr().err
    assert f"{newest}: the checkpoint is not whole: optimizer.pt" in said and "going on from step" in said
    assert runs.result(out) == runs.result(undisturbed)


def test_a_checkpoint_of_another_run_is_refused_and_what_differs_is_named(home, tmp_path, capsys):
    assert runs.train("sft", **options(home, "sft", tmp_path, epochs=1)) == 0
    assert runs.train("sft", **options(home, "sft", tmp_path, epochs=1, learning_rate=2e-3, seed=7)) == 1
    assert "learning_rate, seed differ" in capsys.readouterr().err
    assert runs.train("sft", **options(home, "sft", tmp_path, epochs=1, seed=7, resume="never")) == 0
    assert {line["step"] for line in runs.lines(tmp_path)} == {1, 2, 3, 4}


def test_a_run_that_is_done_is_done_at_once_when_started_again(home, tmp_path, capsys):
    given = options(home, "sft", tmp_path)
    assert runs.train("sft", **given) == 0
    before = runs.result(tmp_path)
    capsys.readouterr()
    assert runs.train("sft", **given) == 0
    assert "step 1 " not in capsys.readouterr().err
    assert runs.result(tmp_path) == before


# -------------------------------------------------------------------------------------------------- the folders themselves


def written(text):
    return lambda folder: (folder / "file").write_text(text)


def test_only_the_newest_stay(tmp_path):
    kept = Checkpoints(tmp_path, keep=2)
    for step in (1, 2, 3):
        kept.save(step, written(str(step)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000003"]
    assert kept.newest().step == 3


@pytest.mark.parametrize("harm", ["a file is gone", "a file is longer", "the list is gone", "the list is cut short", "a file is other"])
def test_whatever_is_not_whole_is_passed_over(tmp_path, harm):
    warned = []
    kept = Checkpoints(tmp_path, warn=warned.append)
    kept.save(1, written("one"))
    path = kept.save(2, written("two"))
    file, listed = path / "file", path / "complete.json"
    {
        "a file is gone": file.unlink,
        "a file is longer": lambda: file.write_text("two "),
        "the list is gone": listed.unlink,
        "the list is cut short": lambda: listed.write_text(listed.read_text()[:-9]),
        "a file is other": lambda: file.write_text("owt"),
    }[harm]()
    with pytest.raises(CorruptCheckpointError, match="step-00000002"):
        verify(path)
    assert kept.newest().step == 1
    assert len(warned) == 1 and "step-00000002" in warned[0]


def test_what_cannot_be_written_leaves_the_one_before(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.save(1, written("one"))

    def fail(folder):
        (folder / "file").write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        kept.save(2, fail)
    assert Checkpoints(tmp_path).newest().step == 1
    Checkpoints(tmp_path).save(2, written("two"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001", "step-00000002"]
