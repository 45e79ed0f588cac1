"""Volumes for claims of the lab's StorageClass: a folder of the lab for each.

Kubernetes's own provisioner for folders has a fixed place on the host, and makes them closed to
all but root.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.nodes.cluster_access import ClusterAccess, Objects
from lab.nodes.duty import for_each
from lab.nodes.system_objects import PROVISIONER, STORAGE_CLASS
from lab.nodes.telling import tell


def care_for_claims(cluster: ClusterAccess, claims: Objects, folder: Path) -> None:
    """Make a volume for each claim that waits for one.

    Raises:
        ExceptionGroup: of what the server or the file system does not take.
    """

    def care(claim: Mapping[str, Any]) -> None:
        spec, metadata = claim["spec"], claim["metadata"]
        if spec.get("storageClassName") != STORAGE_CLASS or spec.get("volumeName"):
            return
        name = f"pvc-{metadata['uid']}"
        place = folder / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whoever the container runs as: nothing changes a folder's owner for it.
        place.chmod(0o777)
        answer = cluster.ask(
            "GET", "/api/v1/persistentvolumes", fieldSelector=f"metadata.name={name}"
        )
        if not answer["items"]:
            cluster.ask("POST", "/api/v1/persistentvolumes", _volume(name, place, claim))
            tell(f"{metadata['namespace']}/{metadata['name']} has {name}")

    for_each(claims, care)


def care_for_volumes(cluster: ClusterAccess, volumes: Objects, folder: Path) -> None:
    """Delete the volumes whose claims are gone, as their reclaim policy says, and their folders.

    Raises:
        ExceptionGroup: of what the server or the file system does not take.
    """

    def care(volume: Mapping[str, Any]) -> None:
        spec, metadata = volume["spec"], volume["metadata"]
        if spec.get("storageClassName") != STORAGE_CLASS:
            return
        released = volume.get("status", {}).get("phase") == "Released"
        if not released or spec.get("persistentVolumeReclaimPolicy") != "Delete":
            return
        # First, as nobody would know of a folder that could not be deleted: a container may still
        # be writing to it.
        place = folder / metadata["name"]
        if place.exists():
            shutil.rmtree(place)
        if metadata.get("deletionTimestamp") is None:
            cluster.ask("DELETE", f"/api/v1/persistentvolumes/{metadata['name']}")
            tell(f"{metadata['name']} is deleted")

    for_each(volumes, care)


def _volume(name: str, place: Path, claim: Mapping[str, Any]) -> dict[str, Any]:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            # Kubernetes leaves the deletion of what others provision to them.
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": str(place), "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
        },
    }
