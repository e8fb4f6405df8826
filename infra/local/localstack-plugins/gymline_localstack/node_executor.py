"""Runs a LocalStack function as a Node process. GYMLINE_NODE names the Node binary."""

import json
import os
import time
from pathlib import Path

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from gymline_localstack.function_process import Exited, FunctionProcess, Outcome, Replied

RUNTIME = Path(__file__).with_name("node-runtime.mjs")
# AWS allows ten seconds; a busy laptop may need more to load a large bundle.
START_SECONDS = 30


class NodeExecutor(RuntimeExecutor):
    """One execution environment: a process that takes one invocation at a time. LocalStack makes as many as it has
    invocations at once."""

    def __init__(self, id, function_version):
        super().__init__(id=id, function_version=function_version)
        self._env: dict[str, str] = {}
        self._process: FunctionProcess | None = None
        self._log = ""

    def start(self, env_vars):
        config = self.function_version.config
        if not (config.runtime or "").startswith("nodejs"):
            raise startup_error("Runtime.Unsupported", f"this LocalStack runs Node functions only, not {config.runtime}")
        code = str(config.code.get_unzipped_code_location())
        self._env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            **{name: str(value) for name, value in env_vars.items()},
            "LAMBDA_TASK_ROOT": code,
            "TZ": "UTC",
        }
        self._start_process()

    def invoke(self, payload):
        if self._process is None:
            self._start_process()  # The one before ran out of time, or died.
        request_id = payload["invoke-id"]
        seconds = self.function_version.config.timeout
        began = time.time()
        message = {
            "requestId": request_id,
            "functionArn": payload["invoked-function-arn"],
            "traceId": payload.get("trace-id", ""),
            "deadlineMs": round((began + seconds) * 1000),
            "event": payload["payload"],
        }
        outcome = self._process.exchange(message, seconds)
        if not isinstance(outcome, Replied):
            self._process = None
        self._log = self._framed_log(request_id, outcome.log, time.time() - began)
        body, is_error = self._result(request_id, outcome)
        return InvocationResult(request_id, body, is_error=is_error, logs=self._log)

    def stop(self):
        if self._process is not None:
            self._process.stop()

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return ""  # For a runtime that calls LocalStack back; ours answers through its pipe.

    def get_logs(self):
        return self._log

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.destroy_cached()

    def _start_process(self) -> None:
        command = [os.environ["GYMLINE_NODE"], "--enable-source-maps", str(RUNTIME)]
        process = FunctionProcess(command, self._env, cwd=self._env["LAMBDA_TASK_ROOT"])
        self._process = process
        outcome = process.exchange(None, START_SECONDS)
        self._log = outcome.log
        if isinstance(outcome, Replied) and "error" not in outcome.reply:
            return
        process.stop()
        self._process = None
        if isinstance(outcome, Replied):
            raise startup_error(outcome.reply["error"]["errorType"], outcome.reply["error"]["errorMessage"])
        raise startup_error("Runtime.ExitError", f"the function did not load: {outcome.log}")

    def _result(self, request_id: str, outcome: Outcome) -> tuple[bytes, bool]:
        """The body of the answer, and whether it is an error."""
        if isinstance(outcome, Replied):
            if "error" in outcome.reply:
                return json.dumps(outcome.reply["error"]).encode(), True
            return json.dumps(outcome.reply["result"]).encode(), False
        if isinstance(outcome, Exited):
            return error_body("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited ({outcome.status})"), True
        seconds = self.function_version.config.timeout
        reason = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        return error_body("Sandbox.Timedout", reason), True

    def _framed_log(self, request_id: str, printed: str, seconds: float) -> str:
        version = self.function_version.id.qualifier
        memory = self.function_version.config.memory_size
        return (
            f"START RequestId: {request_id} Version: {version}\n{printed}\nEND RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\tMemory Size: {memory} MB\n"
        )


def error_body(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def startup_error(kind: str, message: str) -> StatusErrorException:
    return StatusErrorException(message, payload=error_body(kind, message))
