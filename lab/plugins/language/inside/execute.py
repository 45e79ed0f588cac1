"""Run one Pulumi program in this interpreter.

Configuration arrives in PULUMI_CONFIG and PULUMI_CONFIG_SECRET_KEYS, where the SDK reads it.
Exit codes: 0 for success, 32 after an error that the user has been told of, 130 after SIGINT, and
whatever else the program itself chooses by `sys.exit`.
"""

import argparse
import asyncio
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

try:
    import pulumi
    import pulumi.runtime
except ModuleNotFoundError as missing:
    sys.exit(
        f"{sys.executable} has no module {missing.name!r}: "
        "install the Pulumi SDK for this program, for example by `pulumi install`"
    )

EXIT_REPORTED = 32
EXIT_INTERRUPTED = 128 + signal.SIGINT

# Each registration of a resource blocks a thread until the engine has answered; more of them are
# under way than the engine works on at once.
THREADS_PER_PARALLEL_OPERATION = 4


def main() -> None:
    """Run the program named on the command line and exit with its code."""
    arguments = _arguments()
    # A program finds its own modules, not those beside this script.
    del sys.path[0]
    # Piped output would otherwise reach the user only when the program ends.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGINT, _interrupt)
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=arguments.monitor,
            engine=arguments.engine,
            project=arguments.project,
            stack=arguments.stack,
            parallel=arguments.parallel,
            dry_run=arguments.dry_run,
            organization=arguments.organization,
            root_directory=arguments.root_directory,
        )
    )
    sys.argv = [arguments.program, *arguments.program_arguments]
    sys.exit(_run(Path(arguments.program).absolute(), arguments.parallel))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a Pulumi program.")
    parser.add_argument("--monitor", required=True, help="address of the resource monitor")
    parser.add_argument("--engine", required=True, help="address of the engine")
    parser.add_argument("--project", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--organization", required=True)
    parser.add_argument("--root-directory", required=True, help="folder of the project file")
    parser.add_argument("--parallel", required=True, type=int, help="operations at the same time")
    parser.add_argument("--dry-run", action="store_true", help="preview only")
    parser.add_argument("program", help="a folder with a __main__.py, or a file")
    parser.add_argument("program_arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # The engine signals the whole process group and the language host each of its programs: the
    # second signal must not disturb what the program does after the first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(program: Path, parallel: int) -> int:
    main_file = program / "__main__.py" if program.is_dir() else program
    if not main_file.is_file():
        pulumi.log.error(f"no Python program: {main_file} does not exist")
        return EXIT_REPORTED
    # A program that fails leaves outputs behind that nobody awaits; asyncio would complain of each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max(parallel, 1) * THREADS_PER_PARALLEL_OPERATION)
    loop.set_default_executor(threads)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_main(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return EXIT_REPORTED
    except KeyboardInterrupt:
        _leave_interrupted()
    except Exception as error:  # noqa: BLE001 - a program may raise anything
        pulumi.log.error(
            f"Program failed with an unhandled exception:\n{_format(error, main_file)}"
        )
        return EXIT_REPORTED
    finally:
        threads.shutdown()
        loop.close()
    return 0


def _run_main(program: Path) -> None:
    try:
        runpy.run_path(str(program), run_name="__main__")
    except KeyboardInterrupt:
        _leave_interrupted()


def _leave_interrupted() -> NoReturn:
    # What is under way may never be answered by an engine that has cancelled: waiting for it, as
    # the SDK and the joining of threads would, could take for ever.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)


def _format(error: Exception, main_file: Path) -> str:
    """The error with its traceback from the program's main file on, where that takes part."""
    step: TracebackType | None = error.__traceback__
    while step is not None and Path(step.tb_frame.f_code.co_filename) != main_file:
        step = step.tb_next
    return "".join(traceback.format_exception(type(error), error, step or error.__traceback__))


if __name__ == "__main__":
    main()
