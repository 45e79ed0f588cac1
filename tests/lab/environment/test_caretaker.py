"""What the caretaker of a cluster with a node does, and goes on doing when something fails."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.memory import LabMemory
from lab.nodes.system_objects import STORAGE_CLASS, storage_class
from lab.topology import topology

from .conftest import connect, unchecked


def until(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not after {seconds:g} s"
        time.sleep(0.1)
    return answer


@dataclass
class Cluster:
    """East, with a namespace for claims, and a folder for their volumes."""

    lab: Lab
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def core(self) -> Any:
        return client.CoreV1Api(connect(self.lab, "east"))

    @property
    def volumes(self) -> Path:
        return self.folder / "volumes"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start_caretaker(self) -> None:
        """Starts it where it does not run."""
        if self.process is not None:
            return
        planes = topology(self.lab.directory, LabMemory.read(self.lab.directory)).planes
        [plane] = [each for each in planes if each.cluster == "east"]
        arguments = {
            "--url": plane.url,
            "--credentials": self.lab.directory.cluster("east"),
            "--addresses": "198.51.100.0/29",
            "--volumes": self.volumes,
            "--heartbeat": self.folder / "heartbeat",
        }
        flat = [str(part) for pair in arguments.items() for part in pair]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lab.nodes.caretaker", *flat],
                env={"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT)},
                stderr=log,
            )

    def end_caretaker(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def claim(self, name: str) -> str:
        """Makes a claim; the name of the volume that it is to get."""
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": STORAGE_CLASS,
            "resources": {"requests": {"storage": "1Mi"}},
        }
        made = self.core.create_namespaced_persistent_volume_claim(
            "claims", {"metadata": {"name": name}, "spec": spec}
        )
        return f"pvc-{made.metadata.uid}"

    def is_bound(self, name: str) -> bool:
        found = self.core.read_namespaced_persistent_volume_claim(name, "claims")
        return bool(found.status.phase == "Bound")

    def volume_names(self) -> set[str]:
        return {each.metadata.name for each in self.core.list_persistent_volume().items}

    def delete(self, claim: str) -> None:
        self.core.delete_namespaced_persistent_volume_claim(claim, "claims")


@pytest.fixture(scope="module")
def cluster(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With what a lab with nodes would have made."""
    cluster = Cluster(lab, tmp_path_factory.mktemp("caretaker"))
    classes: Any = client.StorageV1Api(connect(lab, "east"))
    classes.create_storage_class(unchecked(storage_class()))
    cluster.core.create_namespace({"metadata": {"name": "claims"}})
    try:
        yield cluster
        cluster.core.delete_namespace("claims")
        until(lambda: not cluster.volume_names(), "the end of all volumes")
    finally:
        cluster.end_caretaker()
        classes.delete_storage_class(STORAGE_CLASS)


def test_a_folder_that_cannot_be_made_keeps_no_other_claim_waiting(
    cluster: Cluster,
) -> None:
    """Nor does it end the care: the claim gets its volume once that is possible."""
    # The claims come in the order of their names.
    held_up, other = cluster.claim("a"), cluster.claim("b")
    cluster.volumes.mkdir()
    (cluster.volumes / held_up).write_text("in the way")
    cluster.start_caretaker()

    until(lambda: cluster.is_bound("b"), "a volume for the other claim")
    assert (cluster.volumes / other).is_dir()
    assert not cluster.is_bound("a")
    [told] = [line for line in cluster.log.splitlines() if "FileExistsError" in line]
    assert held_up in told

    (cluster.volumes / held_up).unlink()
    until(lambda: cluster.is_bound("a"), "a volume for the claim that was held up")


def test_a_folder_that_cannot_be_deleted_stays_known_and_keeps_no_other_volume(
    cluster: Cluster,
) -> None:
    cluster.start_caretaker()
    held_up, other = cluster.claim("c"), cluster.claim("d")
    until(lambda: cluster.is_bound("c") and cluster.is_bound("d"), "volumes")
    (cluster.volumes / held_up).rmdir()
    (cluster.volumes / held_up).write_text("in the way")

    cluster.delete("c")
    until(lambda: "NotADirectoryError" in cluster.log, "a failure to delete the folder")
    cluster.delete("d")
    until(lambda: other not in cluster.volume_names(), "the end of the other volume")
    assert not (cluster.volumes / other).exists()
    assert held_up in cluster.volume_names()

    (cluster.volumes / held_up).unlink()
    until(lambda: held_up not in cluster.volume_names(), "the end of the volume")
