"""Container images made of what the lab has built, named as charts and nodes ask for them."""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.nodes.specification import Image
from lab.toolchain.catalog import ARCHITECTURE

COREDNS = "registry.k8s.io/coredns/coredns"

SHELL_IMAGE = "mesh-trust.lab/shell:1"

ISTIOD_IMAGE = "mesh-trust.lab/pilot:1"

AGENT_IMAGE = "mesh-trust.lab/istiod-agent:1"

IDLE_AGENT_IMAGE = "mesh-trust.lab/idle-agent:1"

_FORMAT = "2"
"""Part of an archive's name: to be raised with any change of how images are made."""

VAULT_USER = (100, 1000)
"""User and group of Vault's official image; charts name them."""

ISTIOD_USER = (1337, 1337)
"""User and group of istiod's official image: its chart demands that it is not root's."""

_ENTRYPOINT = """\
#!/bin/sh
# Runs Vault as the official image does for what charts ask of it: a `server` finds its
# configuration in /vault/config, and a `vault server` is told where it is.
set -e
case "$1" in
  vault) shift ;;
  server) shift; set -- server -config=/vault/config "$@" ;;
esac
exec vault "$@"
"""


_IDLE_AGENT_ENTRYPOINT = """\
#!/bin/sh
# Takes the arguments of Gloo's istiod agent, and asks nobody for a certificate.
set -e
case "$1" in
  init-container) echo "$POD_NAME" > /etc/cacerts/istiod-agent-was-here ;;
  sidecar) trap 'exit 0' TERM; while true; do sleep 1 & wait; done ;;
  *) echo "$1 is neither init-container nor sidecar" >&2; exit 2 ;;
esac
"""


@dataclass(frozen=True)
class Entry:
    """A file, folder (without content) or link (with a target) of an image."""

    path: str
    mode: int = 0o755
    source: Path | None = None
    text: str | None = None
    link: str | None = None
    owner: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Recipe:
    """An image to be made: its full name, its files, and what it runs."""

    name: str
    entries: tuple[Entry, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: tuple[int, int] | None = None
    """User and group by number; root when None."""


def pause_image(pause: Path, version: str) -> Recipe:
    """The process that holds a pod's namespaces; containerd asks for it by this name."""
    entries = (Entry("pause", source=pause),)
    return Recipe(f"registry.k8s.io/pause:{version}", entries, ("/pause",))


def coredns_image(coredns: Path, version: str) -> Recipe:
    """The cluster's names."""
    entries = (Entry("coredns", source=coredns),)
    return Recipe(f"{COREDNS}:v{version}", entries, ("/coredns",))


def shell_image(busybox: Path) -> Recipe:
    """A shell and the usual small commands, for what stands in for somebody else's product."""
    return Recipe(SHELL_IMAGE, _shell(busybox), command=("/bin/sh",))


def istiod_image(pilot_discovery: Path, busybox: Path) -> Recipe:
    """istiod as its official image has it: entrypoint and user."""
    entries = (
        *_shell(busybox),
        Entry("usr/local/bin/pilot-discovery", source=pilot_discovery),
    )
    return Recipe(ISTIOD_IMAGE, entries, ("/usr/local/bin/pilot-discovery",), user=ISTIOD_USER)


def agent_image(agent: Path, busybox: Path) -> Recipe:
    """The lab's agent beside istiod: istiod's user, so that no other can read its key."""
    entries = (*_shell(busybox), Entry("bin/istiod-agent", source=agent))
    return Recipe(AGENT_IMAGE, entries, ("/bin/istiod-agent",), user=ISTIOD_USER)


def idle_agent_image(busybox: Path) -> Recipe:
    """What is run as an agent is, and does nothing: for whoever looks at the pod only."""
    entries = (*_shell(busybox), Entry("bin/istiod-agent", text=_IDLE_AGENT_ENTRYPOINT))
    return Recipe(IDLE_AGENT_IMAGE, entries, ("/bin/istiod-agent",))


def vault_image(vault: Path, version: str, busybox: Path) -> Recipe:
    """Vault as its official image has it: commands, user, folders and entrypoint."""
    user, group = VAULT_USER
    entries = (
        *_shell(busybox),
        Entry("bin/vault", source=vault),
        Entry("usr/local/bin/docker-entrypoint.sh", text=_ENTRYPOINT),
        Entry("etc/passwd", 0o644, text=_passwd(user, group)),
        Entry("etc/group", 0o644, text=f"root:x:0:\nvault:x:{group}:\n"),
        *(
            Entry(f"{folder}/", owner=VAULT_USER)
            for folder in ("home/vault", "vault/config", "vault/file", "vault/logs")
        ),
    )
    name = f"docker.io/hashicorp/vault:{version}"
    return Recipe(name, entries, ("docker-entrypoint.sh",), ("server", "-dev"))


def make_image(recipe: Recipe, folder: Path) -> Image:
    """Return the image's archive in `folder`, as `docker save` writes it; made where it is new."""
    archive = folder / f"{_key(recipe)}.tar"
    if not archive.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial") as layer:
            digest = _write_layer(recipe, Path(layer.name))
            partial = Path(f"{layer.name}.archive")
            _write_archive(recipe, Path(layer.name), digest, partial)
            partial.rename(archive)
    return Image(recipe.name, str(archive))


def remove_others(folder: Path, images: Iterable[Image]) -> None:
    """Delete the archives of images that are not among these: of other versions, or half-made."""
    kept = {image.archive for image in images}
    for path in folder.glob("*"):
        if str(path) not in kept:
            path.unlink()


def _shell(busybox: Path) -> tuple[Entry, ...]:
    done = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    applets = sorted(set(done.stdout.split()) - {"busybox"})
    return (
        Entry("bin/busybox", source=busybox),
        *(Entry(f"bin/{applet}", link="busybox") for applet in applets),
        Entry("tmp/", 0o1777),
    )


def _passwd(user: int, group: int) -> str:
    return f"root:x:0:0:root:/:/bin/sh\nvault:x:{user}:{group}:vault:/home/vault:/bin/sh\n"


def _key(recipe: Recipe) -> str:
    digest = hashlib.sha256(f"{_FORMAT}\0{recipe}".encode())
    for entry in recipe.entries:
        if entry.source is not None:
            status = entry.source.stat()
            digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}".encode())
    name = recipe.name.rpartition("/")[2].replace(":", "-")
    return f"{name}-{digest.hexdigest()[:16]}"


def _write_layer(recipe: Recipe, path: Path) -> str:
    """Write the files, and return the SHA-256 of what was written."""
    with tarfile.open(path, "w") as layer:
        for entry in recipe.entries:
            _add(layer, entry)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(layer: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(entry.path.rstrip("/"))
    member.mode = entry.mode
    member.uid, member.gid = entry.owner
    if entry.link is not None:
        member.type, member.linkname = tarfile.SYMTYPE, entry.link
        layer.addfile(member)
    elif entry.text is not None:
        content = entry.text.encode()
        member.size = len(content)
        layer.addfile(member, io.BytesIO(content))
    elif entry.source is not None:
        member.size = entry.source.stat().st_size
        with entry.source.open("rb") as file:
            layer.addfile(member, file)
    else:
        member.type = tarfile.DIRTYPE
        layer.addfile(member)


def _write_archive(recipe: Recipe, layer: Path, digest: str, path: Path) -> None:
    configuration = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {
            "Entrypoint": list(recipe.entrypoint),
            "Cmd": list(recipe.command),
            "Env": ["PATH=/usr/local/bin:/bin"],
            **({} if recipe.user is None else {"User": ":".join(map(str, recipe.user))}),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created_by": "mesh-trust lab"}],
    }
    content = json.dumps(configuration).encode()
    name = f"{hashlib.sha256(content).hexdigest()}.json"
    manifest: list[Mapping[str, object]] = [
        {"Config": name, "RepoTags": [recipe.name], "Layers": [f"{digest}/layer.tar"]}
    ]
    with tarfile.open(path, "w") as archive:
        _add(archive, Entry(name, 0o644, text=content.decode()))
        _add(archive, Entry(f"{digest}/layer.tar", 0o644, source=layer))
        _add(archive, Entry("manifest.json", 0o644, text=json.dumps(manifest)))
