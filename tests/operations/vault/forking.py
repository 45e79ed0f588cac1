"""A process that has loaded the command, and runs it in a process of its own as often as asked.

A test that kills the command at each of its steps would spend its time loading it. One line of JSON
comes in for each run; its process id, and when it has ended its exit code, go out.
"""

import json
import os
import resource
import signal
import sys
from typing import Any

from kubernetes import client

import mesh_trust.operations.vault.commands  # noqa: F401 - loaded once, not in each run
from mesh_trust.operations.command import main

# Hundreds of modules, which are loaded as they are named.
_OF_CLUSTERS = (
    client.ApiextensionsV1Api,
    client.AppsV1Api,
    client.AuthorizationV1Api,
    client.CoreV1Api,
    client.CustomObjectsApi,
    client.PolicyV1Api,
    client.VersionApi,
)


def _run(asked: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (path, how) in enumerate(
        [(asked["input"], os.O_RDONLY), (asked["output"], flags), (asked["errors"], flags)]
    ):
        os.dup2(os.open(path, how, 0o600), number)
    limit = asked["largest_file"]
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    # Whoever runs the tests in the background may ignore these, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    main(asked["arguments"], prog_name="mesh-trust")


def serve() -> None:
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            code: object = 70
            try:
                _run(json.loads(line))
            except SystemExit as end:
                code = end.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code if isinstance(code, int) else 71)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
