"""The bench: what it reckons, what it compares, and the page that it writes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.figures import (
    ADD,
    DESTROY,
    HOST,
    NO_CHANGE,
    POD,
    PULUMI,
    SET_UP,
    Figures,
    Results,
    aims,
)
from bench.made import NotTheSameError, require_same, require_whole
from bench.measured import (
    COMMANDS,
    ENGINE,
    LANGUAGE_HOST,
    PLUGINS,
    PROGRAM,
    CommandFailedError,
    measure,
    part_of,
    servers_processor_seconds,
)
from bench.report import page


def figures(way: str, operation: str, wall: float, size: int = 2, turn: int = 0) -> Figures:
    return Figures(size, turn, way, operation, wall, 1.0, 2.0, 300.0, 55, 61, {ENGINE: 0.5})


def results(*wanted: Figures) -> Results:
    return Results({"processor": "2 of a kind"}, list(wanted))


ONE_SIZE = (
    figures(POD, SET_UP, 10.0),
    figures(HOST, SET_UP, 5.0),
    figures(PULUMI, SET_UP, 7.0),
    figures(PULUMI, NO_CHANGE, 2.5),
)
MANY = tuple(replace(each, size=30, wall_seconds=10 * each.wall_seconds) for each in ONE_SIZE)
MORE = (figures(PULUMI, ADD, 4.0), figures(PULUMI, ADD, 5.3, size=30))


def test_the_median_is_of_the_rounds_of_one_operation() -> None:
    found = results(
        *(figures(PULUMI, SET_UP, wall, turn=turn) for turn, wall in enumerate((9.0, 1.0, 2.0))),
        figures(PULUMI, SET_UP, 50.0, size=3),
        figures(HOST, SET_UP, 60.0),
        figures(PULUMI, ADD, 70.0),
    )
    assert found.median(2, PULUMI, SET_UP) == 2.0
    assert found.median(2, PULUMI, SET_UP, "vault_calls") == 55
    with pytest.raises(KeyError, match="destroy of pulumi with 2 clusters"):
        found.median(2, PULUMI, DESTROY)


def test_an_aim_is_reached_at_its_bound_and_not_beyond() -> None:
    found = aims(results(*ONE_SIZE))
    assert [(each.most, each.reached) for each in found] == [(0.7, 0.7), (1.2, 1.4), (0.25, 0.25)]
    assert [each.holds for each in found] == [True, False, True]


def test_aims_of_growth_need_two_sizes() -> None:
    found = aims(results(*ONE_SIZE, *MANY, *MORE))
    growth = {each.text: each for each in found[3:]}
    assert growth["first set-up of 30, against the commands on this machine"].reached == 1.4
    added = growth["one more cluster to 30, against one more to 2"]
    assert added.reached == pytest.approx(1.325)
    assert not added.holds


def test_results_are_the_same_after_they_were_written(tmp_path: Path) -> None:
    before = results(*ONE_SIZE)
    before.write(tmp_path / "new" / "results.json")
    assert Results.read(tmp_path / "new" / "results.json") == before
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["results.json"]


def test_a_turn_counts_once_its_last_operations_are_measured() -> None:
    whole = results(figures(POD, ADD, 1), figures(HOST, ADD, 1), figures(PULUMI, DESTROY, 1))
    assert whole.has_turn(2, 0)
    assert not whole.has_turn(2, 1)
    assert not whole.has_turn(3, 0)
    partly = results(*whole.figures[:2])
    assert not partly.has_turn(2, 0)
    partly.forget_turn(2, 0)
    assert partly.figures == []


def test_the_page_says_what_was_measured_and_what_was_not_reached() -> None:
    said = page(results(*ONE_SIZE), "it.svg")
    assert "![Wall time by operation and way](it.svg)" in said
    assert "- processor: 2 of a kind" in said
    assert "| set-up | the program | 7.0 | 7.0 to 7.0 | 1.0 | 2.0 | 300 | 55 | 61 |" in said
    assert "against the commands in the pod | 0.7 | 0.70 | yes |" in said
    assert "against the commands on this machine | 1.2 | 1.40 | **no** |" in said
    assert "| 2 | set-up | 0.5 | 0.0 | 0.0 | 0.0 | 0.0 |" in said


def test_what_differs_is_told_thing_by_thing() -> None:
    shape = {"mount pki/": {"type": "pki"}, "policy p": "one"}
    require_same(shape, dict(shape), "pod")
    with pytest.raises(NotTheSameError, match="pod has not made the same") as raised:
        require_same({"mount pki/": {"type": "pki"}, "role r": 1}, shape, "pod")
    assert str(raised.value).splitlines()[1:] == [
        'policy p: nothing instead of "one"',
        "role r: 1 instead of nothing",
    ]


def test_what_all_ways_leave_out_is_missed() -> None:
    with pytest.raises(NotTheSameError, match="mount pki_int_c02/"):
        require_whole({"mount pki/": {}, "mount pki_int_c01/": {}}, ["c01", "c02"], "pod")


def test_a_command_is_measured_with_what_it_starts(tmp_path: Path) -> None:
    burn = "import time; until = time.process_time() + 0.4\nwhile time.process_time() < until: pass"
    hold = "held = bytearray(b'x' * 64 * 2**20)\n" + burn
    script = 'for it in "$1" "$2"; do "$0" -c "$it"; done'
    used = measure(
        ["sh", "-c", script, sys.executable, burn, hold],
        dict(os.environ),
        tmp_path,
        tmp_path / "log",
    )
    assert used.processor_seconds >= 0.8
    assert used.wall_seconds > 0
    assert used.peak_mebibytes > 64
    assert used.processor_by_part[PROGRAM] > 0


def test_a_command_that_fails_has_no_time(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo what went wrong; exit 3"]
    with pytest.raises(CommandFailedError, match=r"ended with 3; it said:\nwhat went wrong"):
        measure(command, dict(os.environ), tmp_path, tmp_path / "log")


def test_the_time_of_servers_keeps_that_of_ended_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    server = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])\n"
    with subprocess.Popen(
        [sys.executable, "-c", server + "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert servers_processor_seconds([psutil.Process(process.pid)]) >= 0.4
        process.communicate(b"\n")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/lab/engine/pulumi up --yes", ENGINE),
        ("/usr/bin/pulumi-language-python -root=/x 127.0.0.1:1", LANGUAGE_HOST),
        ("/venv/bin/python -P -m lab.plugins.language 127.0.0.1:1", LANGUAGE_HOST),
        ("/venv/bin/python -u /usr/bin/pulumi-language-python-exec --pwd x", PROGRAM),
        ("/venv/bin/python /checkout/lab/plugins/language/inside/execute.py", PROGRAM),
        ("/home/plugins/resource-tls-v5/pulumi-resource-tls 127.0.0.1:1", PLUGINS),
        ("/venv/bin/python -P -m lab.plugins.kubernetes 127.0.0.1:1", PLUGINS),
        ("kubectl --context=c01 apply -f -", COMMANDS),
        ("", COMMANDS),
    ],
)
def test_each_process_is_of_one_part(line: str, part: str) -> None:
    assert part_of(line.split()) == part


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--clusters", "2,x"], "'2,x' is not valid; give numbers such as 2,10,30"),
        (["--clusters", "0"], "'0' is not valid"),
        (["--clusters", "2,10", "--rounds", "1,2,3"], "--rounds has 3 numbers"),
        (["--page-only"], "there are no figures"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(main, [*arguments, "--output", str(tmp_path)])
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []
