"""Weights and optimizer of a model whose parts lie on several devices (FSDP), as one process would have them."""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType


def _is_sharded(accelerator: Accelerator) -> bool:
    return accelerator.distributed_type == DistributedType.FSDP


def weights(accelerator: Accelerator, scorer: Any) -> dict[str, Any] | None:
    """Of the model inside the scorer, whole, on the main process. None where the model has them itself."""
    if not _is_sharded(accelerator):
        return None
    found = accelerator.get_state_dict(scorer)
    return {name.removeprefix("model."): value for name, value in found.items()}


def optimizer_state(accelerator: Accelerator, scorer: Any, optimizer: Any) -> dict[str, Any]:
    if not _is_sharded(accelerator):
        return optimizer.state_dict()
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict

    return get_optimizer_state_dict(scorer, optimizer.optimizer, options=StateDictOptions(full_state_dict=True, cpu_offload=True))


def load_optimizer(accelerator: Accelerator, scorer: Any, optimizer: Any, state: dict[str, Any]) -> None:
    if not _is_sharded(accelerator):
        optimizer.load_state_dict(state)
        return
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    set_optimizer_state_dict(scorer, optimizer.optimizer, state, options=StateDictOptions(full_state_dict=True))
