"""One process that runs one function: messages go in by its stdin, replies come out by a pipe, stdout is its log.

Nothing here knows LocalStack. Messages and replies are lines of JSON; ``node-runtime.mjs`` is the other side.
"""

import json
import os
import selectors
import subprocess
import threading
import time
from dataclasses import dataclass

CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Replied:
    reply: dict
    log: str


@dataclass(frozen=True)
class TimedOut:
    log: str


@dataclass(frozen=True)
class Exited:
    log: str
    status: int
    """As of ``subprocess``: negative where a signal ended the process."""


Outcome = Replied | TimedOut | Exited


class FunctionProcess:
    def __init__(self, command: list[str], env: dict[str, str], cwd: str):
        self._reply_pipe, childs_end = os.pipe()
        # The process stays in the group of the engine, so that it ends with it.
        self._process = subprocess.Popen(
            command,
            env={**env, "GYMLINE_REPLY_PIPE": str(childs_end)},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            pass_fds=[childs_end],
        )
        os.close(childs_end)
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._one_exchange = threading.Lock()

    def exchange(self, message: dict | None, seconds: float) -> Outcome:
        """Sends a message, if there is one, and waits for the next reply. After anything but a reply, the process
        is dead."""
        with self._one_exchange:
            outcome = self._wait(message, time.monotonic() + seconds)
            if not isinstance(outcome, Replied):
                self._close()
            return outcome

    def stop(self) -> None:
        """From any thread: an exchange that waits ends with ``Exited``."""
        self._process.kill()
        with self._one_exchange:
            self._close()

    def _wait(self, message: dict | None, deadline: float) -> Outcome:
        unsent = b"" if message is None else json.dumps(message).encode() + b"\n"
        reply, log = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._reply_pipe, selectors.EVENT_READ, reply)
            selector.register(self._process.stdout, selectors.EVENT_READ, log)
            if unsent:
                selector.register(self._process.stdin, selectors.EVENT_WRITE)
            while not reply.endswith(b"\n"):
                ready = selector.select(max(0, deadline - time.monotonic()))
                if not ready:
                    self._process.kill()
                    return TimedOut(self._rest_of(log))
                for key, _ in ready:
                    if key.fileobj is self._process.stdin:
                        unsent = self._send_some(unsent)
                        if not unsent:
                            selector.unregister(key.fileobj)
                    elif chunk := os.read(key.fd, CHUNK_BYTES):
                        key.data.extend(chunk)
                    elif key.fd == self._reply_pipe:
                        self._process.kill()
                        return Exited(self._rest_of(log), self._process.wait())
                    else:
                        selector.unregister(key.fileobj)
        return Replied(json.loads(reply), self._rest_of(log))

    def _send_some(self, unsent: bytes) -> bytes:
        try:
            return unsent[os.write(self._process.stdin.fileno(), unsent[:CHUNK_BYTES]) :]
        except BrokenPipeError:
            return b""  # It has ended; the reply pipe tells.

    def _rest_of(self, log: bytearray) -> str:
        """Node writes to pipes synchronously, so what was printed before the reply stands in the pipe by now."""
        while True:
            try:
                chunk = os.read(self._process.stdout.fileno(), CHUNK_BYTES)
            except BlockingIOError:
                chunk = b""
            if not chunk:
                return log.decode(errors="replace")
            log.extend(chunk)

    def _close(self) -> None:
        if self._process.stdin.closed:
            return
        self._process.kill()
        self._process.wait()
        os.close(self._reply_pipe)
        self._process.stdin.close()
        self._process.stdout.close()
