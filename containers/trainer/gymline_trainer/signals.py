"""SIGTERM, which Spot capacity and containers send before they go: the run saves and leaves, to be started again."""

import signal
import threading
from typing import Any, NoReturn

# EX_TEMPFAIL of sysexits.h: try again later.
STOPPED = 75


class StoppedError(Exception):
    """The run was asked to stop, and has saved what it had."""


class Stop:
    """Notes that SIGTERM came. is_set: whether it did, in this process."""

    def __init__(self) -> None:
        self.is_set = False
        # Only the main thread may take signals.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: Any) -> None:
        self.is_set = True

    def is_asked(self, accelerator: Any) -> bool:
        """Whether any process was told; all of them must ask at the same place."""
        if accelerator.num_processes == 1:
            return self.is_set
        import torch

        told = torch.tensor([int(self.is_set)], device=accelerator.device)
        return bool(accelerator.reduce(told).item() > 0)

    def check(self) -> None:
        """Raises StoppedError, where nothing is to be saved."""
        if self.is_set:
            raise StoppedError("stopped before the first step; start it again to go on")

    def leave(self, step: int) -> NoReturn:
        raise StoppedError(f"stopped after step {step}, and saved; start it again to go on")
