import io
from pathlib import Path

from rich.console import Console

from lab.toolchain import PreparedTool, Source, Toolchain, tool_table


def lines_of(*tools: PreparedTool) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    console.print(tool_table(Toolchain({tool.name: tool for tool in tools})))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_row_says_what_came_from_where_and_how_long_it_took() -> None:
    home = Path.home()
    lines = lines_of(
        PreparedTool("one", "1.0.0", Source.INSTALLED, home / "bin" / "one", 0.04),
        PreparedTool("two", "2.0.0", Source.DOWNLOADED, Path("/cache/two"), 3.25),
        PreparedTool("three", "3.0.0", Source.BUILT, Path("/cache/three"), 190),
        PreparedTool("four", "4.0.0", Source.LAB, Path("/checkout/four")),
    )
    assert lines[0] == "tool version came from time"
    assert lines[1:] == [
        "one 1.0.0 installed in ~/bin 0.0 s",
        "two 2.0.0 official download 3.2 s",
        "three 3.0.0 built here 190.0 s",
        "four 4.0.0 the lab's own 0.0 s",
    ]


def test_what_was_passed_over_is_said_once_for_all_that_it_concerns() -> None:
    unreachable = "no download: host cannot be reached"
    lines = lines_of(
        PreparedTool("one", "1.0.0", Source.BUILT, Path("/one"), notes=(unreachable,)),
        PreparedTool("two", "2.0.0", Source.BUILT, Path("/two"), notes=("[old]", unreachable)),
    )
    assert f"{unreachable} (one, two)" in lines
    assert "[old] (two)" in lines
