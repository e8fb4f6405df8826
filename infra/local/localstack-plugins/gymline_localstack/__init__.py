"""LocalStack 2026.3 as plain processes on this machine: no Docker, no downloads, loopback only.

- ``gymline-node``: Lambda functions run as Node processes (``node_executor``, ``function_process``, ``node-runtime.mjs``).
- ``gymline-loopback``: the gateway listens where GATEWAY_LISTEN says (``loopback_server``).
- ``gymline-dynamodb``: DynamoDB Local is started from a folder of jars (``dynamodb_local``).
- ``gymline-s3``: objects stand in this LocalStack's own folder (``s3_folder``).

What this does NOT cover:

- Isolation. A function is a process of the user's: it sees the whole machine, and its role's permissions count for
  nothing. Run only functions that you would run yourself.
- Runtimes other than Node, container images, layers, extensions, SnapStart, response streaming, the Runtime API.
- Limits of memory, of /tmp and of payloads. Only the time-out is kept.
- The freeze between invocations: what a function leaves running goes on.
- Log levels and the JSON log format: what the function prints is what the log holds.
- DynamoDB tables with more than 20 indexes. DynamoDB Local listens on all interfaces; it cannot be told otherwise.
- HTTPS on the gateway.
"""
