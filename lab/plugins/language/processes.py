"""Child processes: started, awaited and ended together with all they started themselves."""

import asyncio
import contextlib
import enum
import signal
import subprocess
from asyncio import StreamReader
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.plugins.language.errors import LanguageHostError

# The engine kills a language host that has not ended five seconds after its SIGINT.
_GRACE_SECONDS = 3.0
_DESCENDANTS_GRACE_SECONDS = 0.5
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Command:
    """What to execute, where, and with which environment."""

    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]


class Stream(enum.Enum):
    """One of the two outputs of a process."""

    STDOUT = "stdout"
    STDERR = "stderr"


class Processes:
    """The running children of the language host."""

    def __init__(self) -> None:
        self._running: set[Process] = set()

    @contextlib.asynccontextmanager
    async def started(
        self, command: Command, *, stdout: int | None = None, stderr: int | None = None
    ) -> AsyncIterator[Process]:
        """Run a command; it has ended when the context is left, even by an error.

        `stdout` and `stderr` are as for `subprocess.Popen`: None means the host's own.
        Raises `LanguageHostError` for a command that cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                cwd=command.directory,
                env=command.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        except OSError as error:
            raise LanguageHostError(
                f"cannot start {command.arguments[0]} in {command.directory}: {error}"
            ) from error
        self._running.add(process)
        try:
            yield process
        finally:
            try:
                await _end(process)
            finally:
                self._running.discard(process)

    async def output_of(self, command: Command) -> str:
        """What a command writes to its standard output.

        Raises `LanguageHostError`, with the last line of standard error, for a failing command.
        """
        async with self.started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            stdout, stderr = await process.communicate()
        if process.returncode != 0:
            said = stderr.decode(errors="replace").strip().splitlines() or ["nothing on stderr"]
            raise LanguageHostError(
                f"`{' '.join(command.arguments)}` exited with {process.returncode}: {said[-1]}"
            )
        return stdout.decode()

    async def chunks_of(self, command: Command) -> AsyncIterator[tuple[Stream, bytes] | int]:
        """What a command writes, as it comes, and at the end its exit code.

        Raises `LanguageHostError` for a command that cannot be started.
        """
        async with self.started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            streams = {Stream.STDOUT: process.stdout, Stream.STDERR: process.stderr}
            async with contextlib.aclosing(_merged(streams)) as chunks:
                async for chunk in chunks:
                    yield chunk
            yield await process.wait()

    async def end_all(self) -> None:
        """End every running child."""
        await asyncio.gather(*(_end(process) for process in self._running))


async def _merged(
    streams: Mapping[Stream, StreamReader],
) -> AsyncGenerator[tuple[Stream, bytes], None]:
    arrived: asyncio.Queue[tuple[Stream, bytes] | None] = asyncio.Queue(maxsize=16)

    async def read(stream: Stream, reader: StreamReader) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await arrived.put((stream, data))

    async def read_all() -> None:
        await asyncio.gather(*(read(stream, reader) for stream, reader in streams.items()))
        await arrived.put(None)

    reading = asyncio.create_task(read_all())
    try:
        while (chunk := await arrived.get()) is not None:
            yield chunk
    finally:
        reading.cancel()


async def _end(process: Process) -> None:
    """Interrupt a process and its descendants; kill those that outlive the grace time."""
    if process.returncode is not None:
        return
    descendants = _descendants(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    for descendant in descendants:
        with contextlib.suppress(psutil.NoSuchProcess):
            descendant.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
    _, left = await asyncio.to_thread(psutil.wait_procs, descendants, _DESCENDANTS_GRACE_SECONDS)
    for descendant in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            descendant.kill()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
