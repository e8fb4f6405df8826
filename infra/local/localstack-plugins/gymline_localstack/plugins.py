"""What LocalStack finds by the entry points. The imports wait until a plugin is used: they are slow."""

from localstack.runtime.server.core import RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class NodeExecutorPlugin(RuntimeExecutorPlugin):
    name = "gymline-node"

    def load(self, *args, **kwargs):
        from gymline_localstack.node_executor import NodeExecutor

        return NodeExecutor


class LoopbackServerPlugin(RuntimeServerPlugin):
    name = "gymline-loopback"

    def load(self, *args, **kwargs):
        from gymline_localstack.loopback_server import LoopbackServer

        return LoopbackServer()
