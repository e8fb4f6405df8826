"""Several processes on this machine, over Gloo; on GPUs it is NCCL.

Accelerate shards models on GPUs alone; PyTorch does on CPUs too. So for `sharded` its state is set to what it would be.
"""

import os
import socket
import traceback
from pathlib import Path

import pytest
import runs
import tiny
import torch
from accelerate.state import AcceleratorState, PartialState
from safetensors.torch import load_file

FSDP = Path(__file__).parents[2] / "containers/trainer/configs/fsdp.yaml"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
    tiny.saved(tmp_path / "model")
    return tmp_path


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def launched(config):
    """What `accelerate launch --config_file` says of sharding to the processes that it starts."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_multi_gpu_env

    given = launch_command_parser().parse_args(["--config_file", str(config), "sft.py"])
    told = prepare_multi_gpu_env(_validate_launch_command(given)[0])
    return {name: value for name, value in told.items() if name.startswith("FSDP_")}


def shard():
    from accelerate import Accelerator
    from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

    AcceleratorState._reset_state(True)
    os.environ.update(launched(FSDP))
    plugin = FullyShardedDataParallelPlugin()
    assert (plugin.fsdp_version, plugin.state_dict_type.name) == (2, "FULL_STATE_DICT")
    state = Accelerator(cpu=True).state
    PartialState._shared_state["distributed_type"] = DistributedType.FSDP
    state._shared_state.update(distributed_type=DistributedType.FSDP, fsdp_plugin=plugin)


def together(algorithm, count, kind, given):
    """The exit codes of so many processes of one run."""
    common = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    children = []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.environ.update({**common, "RANK": str(rank), "LOCAL_RANK": str(rank)})
                if kind == "sharded":
                    shard()
                code = runs.train(algorithm, is_fresh=kind != "sharded", **given)
                # That it was what it says.
                code = code or 71 * (PartialState().distributed_type.value != {"copied": "MULTI_CPU", "sharded": "FSDP"}[kind])
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.parametrize(("algorithm", "kind"), [("sft", "copied"), ("dpo", "sharded")])
def test_two_processes_learn_what_one_learns_and_go_on_where_they_were(home, algorithm, kind):
    """Seven rows in steps of four: in the last step of an epoch one process has a row that does not count."""
    data = runs.dataset(home / algorithm, algorithm)
    given = {"data": data, "model": home / "model", "epochs": 2, "save_steps": 1, "learning_rate": 1e-4, "adam_epsilon": 1e-4}
    assert runs.train(algorithm, **given, out=home / "one", gradient_accumulation_steps=4) == 0
    two = {**given, "out": home / "two", "gradient_accumulation_steps": 2}
    assert together(algorithm, 2, kind, two) == [0, 0]
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
    assert together(algorithm, 2, kind, two) == [0, 0]
    assert runs.result(home / "two") == before
