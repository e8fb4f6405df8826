"""Starts DynamoDB Local from a folder of jars with the installed Java, where LocalStack would download both.

GYMLINE_DYNAMODB_LIBRARIES names the folder (from Maven: com.amazonaws:DynamoDBLocal and all it depends on), and
GYMLINE_JAVA the Java, 17 or newer.
"""

import os
import subprocess
import tempfile

from localstack.runtime import hooks

MAIN_CLASS = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"


@hooks.on_infra_start()
def use_installed_dynamodb_local():
    if "GYMLINE_DYNAMODB_LIBRARIES" not in os.environ:
        return

    from localstack.services.dynamodb.server import DynamodbServer
    from localstack.utils.patch import patch
    from localstack.utils.threads import FuncThread

    class JavaThread(FuncThread):
        """Lives as long as the process. LocalStack's own kind would put Java into a session of its own, where it
        outlives a LocalStack that is killed."""

        auto_restart = False  # LocalStack sets it before it stops the server.

        def __init__(self, command: list[str]):
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            super().__init__(lambda _: self.process.wait(), name="dynamodb-local")

        def stop(self, quiet: bool = False) -> None:
            self.process.terminate()
            super().stop(quiet)

    @patch(DynamodbServer.do_start_thread)
    def start_java(_original, server):
        thread = JavaThread(java_command(server.port, server.heap_size))
        thread.start()
        return thread


def java_command(port: int, heap_size: str) -> list[str]:
    libraries = os.environ["GYMLINE_DYNAMODB_LIBRARIES"]
    return [
        os.environ["GYMLINE_JAVA"],
        f"-Xmx{heap_size}",
        # SQLite's native library stands among the jars.
        f"-Djava.library.path={libraries}",
        # Java does not ask TMPDIR, and writes its counters to /tmp whatever it is told.
        f"-Djava.io.tmpdir={tempfile.gettempdir()}",
        "-XX:-UsePerfData",
        "-classpath",
        os.path.join(libraries, "*"),
        MAIN_CLASS,
        "-port",
        str(port),
        "-inMemory",
        "-disableTelemetry",
    ]
