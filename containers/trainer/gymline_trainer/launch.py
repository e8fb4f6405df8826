"""Runs a script in one process or, for several GPUs, in several, and says in one exit code how they ended.

`accelerate launch` would do the first half, but has exit codes of its own; a job must be able to tell a run that was stopped
and saved from one that failed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from .signals import STOPPED

_LOOK_SECONDS = 0.2


class Launch:
    """Hands SIGTERM on to the processes. is_told: whether it came."""

    def __init__(self) -> None:
        self.is_told = False
        self._children: list[subprocess.Popen[bytes]] = []
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: Any) -> None:
        self.is_told = True
        for child in self._children:
            child.terminate()

    def run(self, command: Sequence[str], processes: int = 1) -> int:
        """0, 1, 2 and 75 as in program.py; 128 + n where signal n ended a process."""
        shared = {} if processes == 1 else {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _free_port()}
        for rank in range(processes):
            if self.is_told:
                break
            own = {} if processes == 1 else {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            self._children.append(subprocess.Popen(command, env={**os.environ, **shared, **own}))
        if self.is_told:
            # It came while they were started: those that are there may not have been told.
            self._stop()
        while any(child.poll() is None for child in self._children):
            if any(child.poll() not in (None, 0, STOPPED) for child in self._children):
                # The others wait for it for ever.
                for child in self._children:
                    child.kill()
            time.sleep(_LOOK_SECONDS)
        codes = [child.returncode for child in self._children]
        self._children = []
        return self._ended(codes)

    def _ended(self, codes: list[int]) -> int:
        # Before a script listens to it, SIGTERM simply ends it.
        if self.is_told and all(code in (0, STOPPED, -signal.SIGTERM, -signal.SIGKILL) for code in codes) and any(codes or [1]):
            return STOPPED
        first = next((code for code in codes if code not in (0, STOPPED, -signal.SIGKILL)), None)
        if first is not None:
            return first if first > 0 else 128 - first
        if -signal.SIGKILL in codes:
            print(
                "error: it was killed, as a machine does that runs out of memory; raise batch.training.memoryMiB, "
                "lower batch_size or max_length, or set gradient_checkpointing",
                file=sys.stderr,
            )
            # It would take as much memory the next time.
            return 1
        return STOPPED if STOPPED in codes else 0


def _free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])
