"""Programs run by the real engine through this language host."""

import os
import signal
import subprocess
import sys
import time
import venv

import psutil
import pytest
import yaml

from tests.plugins.language.projects import STACK, Project

HIDDEN = "hunter2-hunter2"


def test_program_sees_its_surroundings(project: Project) -> None:
    project.write(
        """
        import importlib.util, os, sys
        import pulumi
        import beside

        config = pulumi.Config()
        pulumi.export("project", pulumi.get_project())
        pulumi.export("stack", pulumi.get_stack())
        pulumi.export("organization", pulumi.get_organization())
        pulumi.export("root", pulumi.runtime.get_root_directory())
        pulumi.export("dry_run", pulumi.runtime.is_dry_run())
        pulumi.export("folder", os.getcwd())
        pulumi.export("arguments", sys.argv)
        pulumi.export("prefix", sys.prefix)
        pulumi.export("virtualenv", os.environ["VIRTUAL_ENV"])
        pulumi.export("beside", beside.VALUE)
        pulumi.export("size", config.require_int("size"))
        pulumi.export("list", config.require_object("list"))
        pulumi.export("secret_is_known", "test:token" if config.get_secret("token") else "")
        pulumi.export("token", config.require_secret("token").apply(lambda token: token + "!"))
        foreign = ("lab", "execute", "installed")
        pulumi.export("foreign", [name for name in foreign if importlib.util.find_spec(name)])
        """
    )
    project.add("beside.py", "VALUE = 'imported'\n")
    project.make_stack()
    project.pulumi("config", "set", "size", "3")
    project.pulumi("config", "set", "--path", "list[0]", "one")
    project.pulumi("config", "set", "--secret", "token", HIDDEN)
    done = project.up()
    assert HIDDEN not in done.stdout + done.stderr
    outputs = project.outputs()
    assert outputs.pop("token") == "[secret]"
    assert outputs.pop("project").startswith("project-")
    folder = str(project.directory)
    assert outputs == {
        "stack": STACK,
        "organization": "organization",
        "root": folder,
        "dry_run": False,
        "folder": folder,
        "arguments": ["."],
        "prefix": sys.prefix,
        "virtualenv": sys.prefix,
        "beside": "imported",
        "size": 3,
        "list": ["one"],
        "secret_is_known": "test:token",
        "foreign": [],
    }
    assert project.outputs("--show-secrets")["token"] == HIDDEN + "!"
    project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_preview_knows_that_it_is_one(project: Project) -> None:
    project.write(
        """
        import pulumi
        print("to standard output")
        pulumi.log.warn(f"dry run: {pulumi.runtime.is_dry_run()}")
        """
    )
    project.make_stack()
    shown = project.pulumi("preview").stdout
    assert "dry run: True" in shown
    assert "to standard output" in shown


def test_program_in_a_subfolder_and_in_a_file(project: Project) -> None:
    program = "import os, pulumi\npulumi.export('folder', os.getcwd())\n"
    project.write("raise SystemExit('not this one')", main="program/other.py")
    project.add("program/other.py", program)
    project.up()
    assert project.outputs() == {"folder": str(project.directory / "program")}


def test_second_stack_reads_the_first(project: Project) -> None:
    project.write(
        """
        import pulumi
        if pulumi.get_stack() == "test":
            pulumi.export("word", "hello")
        else:
            other = pulumi.StackReference(f"organization/{pulumi.get_project()}/test")
            pulumi.export("heard", other.require_output("word"))
        """
    )
    project.up()
    project.pulumi("stack", "init", "reader")
    project.pulumi("up", "--yes", "--skip-preview")
    assert project.outputs() == {"heard": "hello"}


@pytest.mark.parametrize("parallel", [4, 64])
def test_many_registrations_do_not_block_each_other(project: Project, parallel: int) -> None:
    project.write(
        """
        import asyncio
        import pulumi

        class Link(pulumi.ComponentResource):
            def __init__(self, name, before, opts=None):
                super().__init__("test:index:Link", name, {"before": before}, opts)
                self.length = pulumi.Output.from_input(before).apply(lambda length: length + 1)
                self.register_outputs({"length": self.length})

        chain = 0
        for number in range(100):
            chain = Link(f"chained-{number}", chain).length
        free = [Link(f"free-{number}", number).length for number in range(100)]
        pulumi.export("chain", chain)
        pulumi.export("free", pulumi.Output.all(*free).apply(sum))
        pulumi.export("threads", asyncio.get_running_loop()._default_executor._max_workers)
        """
    )
    project.up("--parallel", str(parallel))
    assert project.outputs() == {
        "chain": 100,
        "free": sum(range(1, 101)),
        "threads": 4 * parallel,
    }


def test_run_error_shows_only_its_message(project: Project) -> None:
    project.write("import pulumi\nraise pulumi.RunError('the cluster list is empty')\n")
    done = project.up(check=False)
    assert done.returncode != 0
    assert "error: the cluster list is empty" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "exit code" not in done.stdout + done.stderr


def test_exception_shows_the_traceback_of_the_program(project: Project) -> None:
    project.write("import broken\n")
    project.add("broken.py", "def fail():\n    return {}['absent']\n\nfail()\n")
    done = project.up(check=False)
    assert done.returncode != 0
    assert "KeyError: 'absent'" in done.stdout
    assert f'File "{project.directory}/__main__.py", line 1' in done.stdout
    assert "return {}['absent']" in done.stdout
    for foreign in ("runpy", "execute.py", "run_in_stack", "asyncio"):
        assert foreign not in done.stdout


def test_failing_output_fails_the_program(project: Project) -> None:
    project.write("import pulumi\npulumi.Output.from_input(1).apply(lambda one: one / 0)\n")
    done = project.up(check=False)
    assert done.returncode != 0
    assert "ZeroDivisionError: division by zero" in done.stdout


def test_exit_code_of_the_program(project: Project) -> None:
    project.write("import sys\nsys.exit(3)\n")
    done = project.up(check=False)
    assert done.returncode != 0
    assert "program exited with non-zero exit code: 3" in done.stdout
    project.write("import sys\nsys.exit()\n")
    project.up()


def test_missing_program(project: Project) -> None:
    project.write("")
    (project.directory / "__main__.py").unlink()
    done = project.up(check=False)
    assert done.returncode != 0
    assert f"no Python program: {project.directory}/__main__.py does not exist" in done.stdout


def test_missing_virtual_environment_is_one_line(project: Project) -> None:
    project.write("import pulumi\n", options={"virtualenv": "gone"})
    done = project.up(check=False)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert f"'gone', but {project.directory}/gone does not exist: run `pulumi install`" in errors[0]


def test_virtual_environment_without_the_sdk(project: Project) -> None:
    project.write("import pulumi\n", options={"virtualenv": "venv"})
    venv.create(project.directory / "venv", symlinks=True)
    done = project.up(check=False)
    assert done.returncode != 0
    assert "has no module 'pulumi': install the Pulumi SDK for this program" in done.stdout


def test_types_are_checked_first(project: Project) -> None:
    options = {"virtualenv": sys.prefix, "typechecker": "mypy"}
    project.write("number: int = 'text'\nprint('has run')\n", options=options)
    done = project.up(check=False)
    assert done.returncode != 0
    assert "Incompatible types in assignment" in done.stdout + done.stderr
    assert "has run" not in done.stdout + done.stderr
    project.write("number: int = 3\nprint('has run')\n", options=options)
    assert "has run" in project.up().stdout


def test_about(project: Project) -> None:
    project.write("import pulumi\n")
    shown = project.pulumi("about").stdout
    assert f"{sys.prefix}/bin/python" in shown
    assert "mesh-trust" in shown


def test_plugin_with_a_component(project: Project) -> None:
    project.write(
        """
        import pulumi

        class Greeter(pulumi.ComponentResource):
            greeting: pulumi.Output[str]

            def __init__(self, name, whom):
                properties = {"whom": whom, "greeting": None}
                super().__init__("greeter:index:Greeter", name, properties, remote=True)

        pulumi.export("greeting", Greeter("greeter", "world").greeting)
        """,
        plugins={"providers": [{"name": "greeter", "path": "./greeter"}]},
    )
    project.add(
        "greeter/PulumiPlugin.yaml",
        f"runtime: {{name: python, options: {{virtualenv: {sys.prefix}}}}}\n",
    )
    project.add(
        "greeter/__main__.py",
        """
        from typing import TypedDict
        import pulumi
        from pulumi.provider.experimental import component_provider_host

        class GreeterArgs(TypedDict):
            whom: pulumi.Input[str]

        class Greeter(pulumi.ComponentResource):
            greeting: pulumi.Output[str]

            def __init__(self, name: str, args: GreeterArgs, opts: pulumi.ResourceOptions):
                super().__init__("greeter:index:Greeter", name, {}, opts)
                self.greeting = pulumi.Output.format("hello {0}", args["whom"])
                self.register_outputs({"greeting": self.greeting})

        component_provider_host(name="greeter", components=[Greeter])
        """,
    )
    project.up()
    assert project.outputs() == {"greeting": "hello world"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_deployment_leaves_no_process(project: Project, number: signal.Signals) -> None:
    project.write(
        """
        import subprocess, time
        child = subprocess.Popen(["sleep", "600"])
        with open("pids", "w") as pids:
            print(child.pid, file=pids)
        time.sleep(600)
        """
    )
    project.make_stack()
    deployment = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never"],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    pids = project.directory / "pids"
    deadline = time.monotonic() + 20
    while not (pids.exists() and pids.read_text().endswith("\n")):
        assert time.monotonic() < deadline, "the program has not started"
        time.sleep(0.1)
    started = psutil.Process(deployment.pid).children(recursive=True)
    assert int(pids.read_text()) in {process.pid for process in started}
    os.killpg(deployment.pid, number)
    output, _ = deployment.communicate(timeout=30)
    assert deployment.returncode != 0
    assert "Traceback" not in output
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []


PACK = """
    import os
    from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy
    import beside

    def check(args, report):
        if args.props.get("size", 0) > beside.MOST:
            report(f"{args.name} is too large, said in {os.path.basename(os.getcwd())}")

    PolicyPack(
        "sizes",
        [ResourceValidationPolicy("size", "Things are small.", check)],
        EnforcementLevel.MANDATORY,
    )
"""


@pytest.mark.parametrize(("size", "is_refused"), [(6, True), (5, False)])
def test_policy_pack(project: Project, size: int, is_refused: bool) -> None:
    project.write(
        f"import pulumi\npulumi.ComponentResource('test:index:Thing', 'it', {{'size': {size}}})\n"
    )
    settings = {
        "name": "sizes",
        "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
    }
    project.add("pack/PulumiPolicy.yaml", yaml.safe_dump(settings))
    project.add("pack/__main__.py", PACK)
    project.add("pack/beside.py", "MOST = 5\n")
    project.make_stack()
    done = project.pulumi("preview", "--policy-pack", "pack", check=False)
    assert (done.returncode != 0) is is_refused, done.stdout + done.stderr
    assert ("it is too large, said in pack" in done.stdout) is is_refused
