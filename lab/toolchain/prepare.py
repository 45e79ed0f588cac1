"""Has every tool ready: installed, downloaded, or built."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from .activity import Activity
from .cache import Entry, cache_root
from .catalog import ENGINE, LANGUAGE_HOST, TOOLS, Download, GoBuild, ModuleFiles, Tool
from .download import Downloader, DownloadError
from .go_build import Go, content_key, find_go, go_build
from .installed import find_executables, find_installed
from .module_files import copy_files, files_key
from .tools import PreparedTool, Source, Toolchain, ToolchainError

OFFLINE_VARIABLE = "MESH_TRUST_OFFLINE"


def prepare(console: Console, names: Iterable[str] | None = None) -> Toolchain:
    """Prepares the tools `names`, all of them when absent, and says on `console` what it is doing.

    Each comes from the first of these that has it: what is installed, what an earlier run put into
    the cache, the official download (unless MESH_TRUST_OFFLINE is set), a build of the pinned
    sources or a copy of what comes with them, the lab's own stand-in.

    Raises:
        ToolchainError: one of them cannot be had, or is none of these tools. Or the cache cannot be
            written, or the user has no home folder.
    """
    known = {tool.name for tool in TOOLS}
    wanted = known if names is None else set(names)
    if unknown := wanted - known:
        raise ToolchainError(
            f"no tool is named {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    if LANGUAGE_HOST in wanted:
        wanted |= {ENGINE}
    return _Preparation(console, os.environ).of(tool for tool in TOOLS if tool.name in wanted)


class _Preparation:
    """One run over the tools: what was found out for one of them serves the next."""

    def __init__(self, console: Console, environment: Mapping[str, str]) -> None:
        self._console = console
        self._environment = environment
        self._cache = cache_root(environment)
        self._downloader = Downloader()
        self._go: Go | None = None

    def of(self, tools: Iterable[Tool]) -> Toolchain:
        prepared: dict[str, PreparedTool] = {}
        for tool in tools:
            with Activity(self._console, tool.name) as activity:
                if tool.name == LANGUAGE_HOST:
                    ready = self._language_host(tool, prepared[ENGINE])
                else:
                    ready = self._first_that_has_it(tool, activity)
                prepared[tool.name] = replace(ready, seconds=activity.seconds)
        return Toolchain(prepared)

    def _first_that_has_it(self, tool: Tool, activity: Activity) -> PreparedTool:
        notes: list[str] = []
        candidate = find_installed(tool, self._environment)
        if candidate and not candidate.objection:
            return PreparedTool(tool.name, candidate.version, Source.INSTALLED, candidate.path)
        if candidate:
            notes.append(f"passed over {candidate.path}: {candidate.objection}")
        ready = self._cached(tool)
        if ready is None and tool.download and not self._environment.get(OFFLINE_VARIABLE):
            try:
                ready = self._downloaded(tool, tool.download, activity)
            except DownloadError as error:
                notes.append(f"no download: {error}")
        if ready is None and tool.build:
            ready = self._built(tool, tool.build, activity)
        if ready is None and tool.files:
            ready = self._copied(tool, tool.files, activity)
        if ready is None and tool.own:
            ready = PreparedTool(tool.name, tool.version, Source.LAB, tool.own)
        if ready is None:
            raise ToolchainError(f"{tool.name} cannot be had here: {'; '.join(notes)}")
        return replace(ready, notes=tuple(notes))

    def _language_host(self, tool: Tool, engine: PreparedTool) -> PreparedTool:
        if engine.source is not Source.BUILT:
            # As the engine does, which looks beside its real executable.
            beside = engine.path.resolve().with_name(tool.name)
            others = find_executables(tool.name, self._environment)
            if path := beside if beside.exists() else next(others, None):
                return PreparedTool(tool.name, engine.version, engine.source, path)
        if tool.own is None:
            raise ToolchainError(f"{tool.name} is not beside {engine.path}; reinstall Pulumi")
        return PreparedTool(tool.name, tool.version, Source.LAB, tool.own)

    def _cached(self, tool: Tool) -> PreparedTool | None:
        """What is whole in the cache: no host has to be asked, and no Go has to be there."""
        if tool.download and (entry := self._download_entry(tool)).is_whole():
            return _from_download(tool, entry)
        if tool.build and (entry := self._build_entry(tool, tool.build)).is_whole():
            return _from_build(tool, entry)
        if tool.files and (entry := self._files_entry(tool, tool.files)).is_whole():
            return _from_module(tool, entry)
        return None

    def _downloaded(self, tool: Tool, download: Download, activity: Activity) -> PreparedTool:
        entry = self._download_entry(tool)
        self._put(
            tool, entry, activity, lambda it: self._downloader.fetch(download, it, activity.step)
        )
        return _from_download(tool, entry)

    def _built(self, tool: Tool, build: GoBuild, activity: Activity) -> PreparedTool:
        entry = self._build_entry(tool, build)
        log = self._cache / "log" / f"{tool.name}-{entry.folder.name}.log"

        def produce(folder: Path) -> None:
            go = self._found_go(tool)
            self._console.print(f"{tool.name}: building {tool.version}", highlight=False)
            go_build(build, go, folder / tool.name, log, self._environment, activity.step)
            self._console.print(f"{tool.name}: built in {activity.seconds:.0f} s", highlight=False)

        self._put(tool, entry, activity, produce)
        return _from_build(tool, entry)

    def _copied(self, tool: Tool, files: ModuleFiles, activity: Activity) -> PreparedTool:
        entry = self._files_entry(tool, files)
        self._put(
            tool,
            entry,
            activity,
            lambda it: copy_files(
                files, self._found_go(tool), it, self._environment, activity.step
            ),
        )
        return _from_module(tool, entry)

    def _found_go(self, tool: Tool) -> Go:
        if self._go is None:
            self._go = find_go(self._environment, tool.name)
        return self._go

    def _put(
        self, tool: Tool, entry: Entry, activity: Activity, produce: Callable[[Path], None]
    ) -> None:
        """Has `produce` fill `entry`, unless another run has done so meanwhile."""
        try:
            with entry.locked(lambda: activity.step("waiting for another run that prepares it")):
                if not entry.is_whole():
                    entry.fill(produce)
        except OSError as error:
            raise ToolchainError(
                f"{tool.name} cannot be put into the cache {self._cache}: {error}; "
                "make room there, or set XDG_CACHE_HOME to a folder that can be written"
            ) from error

    def _download_entry(self, tool: Tool) -> Entry:
        return Entry(self._cache / tool.name / f"download-{tool.version}")

    def _files_entry(self, tool: Tool, files: ModuleFiles) -> Entry:
        return Entry(self._cache / tool.name / f"files-{tool.version}-{files_key(files)}")

    def _build_entry(self, tool: Tool, build: GoBuild) -> Entry:
        return Entry(self._cache / tool.name / f"build-{tool.version}-{content_key(build)}")


def _from_download(tool: Tool, entry: Entry) -> PreparedTool:
    path = entry.folder if tool.is_plugin else entry.folder / tool.name
    return PreparedTool(tool.name, tool.version, Source.DOWNLOADED, path)


def _from_build(tool: Tool, entry: Entry) -> PreparedTool:
    return PreparedTool(tool.name, tool.version, Source.BUILT, entry.folder / tool.name)


def _from_module(tool: Tool, entry: Entry) -> PreparedTool:
    return PreparedTool(tool.name, tool.version, Source.MODULE, entry.folder)
