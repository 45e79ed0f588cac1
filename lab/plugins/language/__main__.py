"""`python -m lab.plugins.language [flags] [engine address]`: how the engine starts this host."""

import argparse
import asyncio
import importlib.metadata

import lab.plugins.without_sdk  # noqa: F401  before all that imports the protocol
from lab.plugins.language.server import serve


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(
        prog="pulumi-language-python", description="Run Pulumi programs written in Python."
    )
    parser.add_argument("--version", action="version", version=importlib.metadata.version("pulumi"))
    ignored = "accepted, since engines pass it, and without effect"
    for name in ("logtostderr", "logflow"):
        parser.add_argument(f"-{name}", f"--{name}", action="store_true", help=ignored)
    for name in ("v", "tracing", "root"):
        parser.add_argument(f"-{name}", f"--{name}", help=ignored)
    parser.add_argument("engine", nargs="?", default="", help="address of the engine")
    asyncio.run(serve(parser.parse_args().engine))


if __name__ == "__main__":
    main()
