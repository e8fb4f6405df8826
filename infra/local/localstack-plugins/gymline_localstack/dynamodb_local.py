"""Starts DynamoDB Local from a folder of jars with the installed Java, where LocalStack would download both.

GYMLINE_DYNAMODB_LIBRARIES names the folder (from Maven: com.amazonaws:DynamoDBLocal and all it depends on), and
GYMLINE_JAVA the Java, 17 or newer.
"""

import os

from localstack.runtime import hooks

MAIN_CLASS = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"


@hooks.on_infra_start()
def use_installed_dynamodb_local():
    libraries = os.environ.get("GYMLINE_DYNAMODB_LIBRARIES")
    if not libraries:
        return

    from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller
    from localstack.services.dynamodb.server import DynamodbServer
    from localstack.utils.patch import patch

    @patch(DynamoDBLocalPackageInstaller.install)
    def nothing_to_install(_original, self, *args, **kwargs):
        pass

    @patch(DynamoDBLocalPackageInstaller.get_java_env_vars)
    def no_java_of_localstack(_original, self):
        return {}

    @patch(DynamodbServer._create_shell_command)
    def command(_original, server):
        return [
            os.environ["GYMLINE_JAVA"],
            f"-Xmx{server.heap_size}",
            # SQLite's native library stands among the jars.
            f"-Djava.library.path={libraries}",
            "-classpath",
            os.path.join(libraries, "*"),
            MAIN_CLASS,
            "-port",
            str(server.port),
            "-inMemory",
            "-disableTelemetry",
        ]
