"""Several processes on this machine, over Gloo; on GPUs it is NCCL."""

import os
import socket

import pytest
import runs
import tiny
import torch
from safetensors.torch import load_file


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
    tiny.saved(tmp_path / "model")
    return tmp_path


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(algorithm, count, env, given):
    """The exit codes of so many processes of one run."""
    common = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "ACCELERATE_USE_CPU": "true", **env}
    children = []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.environ.update({**common, "RANK": str(rank), "LOCAL_RANK": str(rank)})
                code = runs.train(algorithm, **given)
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


SHARDED = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP", "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT", "FSDP_RESHARD_AFTER_FORWARD": "true"}


@pytest.mark.parametrize("env", [{}, SHARDED], ids=["copied", "sharded"])
@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_two_processes_learn_what_one_learns_and_go_on_where_they_were(home, algorithm, env):
    """Seven rows in steps of four: in the last step of an epoch one process has a row that does not count."""
    data = runs.dataset(home / algorithm, algorithm)
    given = {"data": data, "model": home / "model", "epochs": 2, "save_steps": 1, "learning_rate": 1e-4, "adam_epsilon": 1e-4}
    assert runs.train(algorithm, **given, out=home / "one", gradient_accumulation_steps=4) == 0
    two = {**given, "out": home / "two", "gradient_accumulation_steps": 2}
    assert together(algorithm, 2, env, two) == [0, 0]
    expected, found = runs.lines(home / "one"), runs.lines(home / "two")
    for line, other in zip(expected, found, strict=True):
        assert other == pytest.approx(line, rel=1e-3, abs=1e-4)
    one, other = (load_file(home / name / "trained/model.safetensors") for name in ("one", "two"))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.allclose(other[name], value, atol=1e-4), name

    # Without its last checkpoint, it goes on from the one before, to the same bits.
    before = runs.result(home / "two")
    checkpoints = sorted((home / "two/checkpoints").glob("step-*"))
    (checkpoints[-1] / "complete.json").unlink()
    assert together(algorithm, 2, env, two) == [0, 0]
    assert runs.result(home / "two") == before
