"""Unpacks a CPython that this system does not have, from Debian's packages, into a folder.

For machines whose distribution has no such version yet. Nothing is installed and nobody has to be
root: the packages of a newer Debian are unpacked beside the system, with the C library that they
need, and the interpreter is told to start through that library. It finds itself, makes virtual
environments and compiles extension modules, with the system's compiler, as any other does. Usage::

    python3 tools/fetch_python.py FOLDER

prints the path of the interpreter below FOLDER. What is there already is kept. Every package is
held to the SHA-256 that the suite's index gives for it, the index to the suite's release file, and
that to Debian's signature where the machine has gpgv and Debian's keys; where it has not, a line
on standard error says that only the connection to the mirror vouches for it.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

VERSION = "3.14"
MIRROR = "https://deb.debian.org/debian"
SUITE = "forky"
TIMEOUT = 60.0  # seconds without a byte from the mirror
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# Debian's name of a machine, and of its folders of libraries.
MACHINES = {
    "x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}

PACKAGES = (
    f"python{VERSION}-minimal",
    f"libpython{VERSION}-minimal",
    f"python{VERSION}",
    f"libpython{VERSION}-stdlib",
    f"libpython{VERSION}-dev",
    f"libpython{VERSION}-testsuite",
    f"python{VERSION}-venv",
    "python3-pip-whl",
    "libbz2-1.0",
    "libc6",
    "libdb5.3t64",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libncursesw6",
    "libreadline8t64",
    "libsqlite3-0",
    "libssl3t64",
    "libstdc++6",
    "libtinfo6",
    "libuuid1",
    "libzstd1",
    "patchelf",
    "zlib1g",
)


class FetchError(Exception):
    """The interpreter cannot be had: the message says what is in the way."""


def fetch(url: str) -> bytes:
    """What stands at `url`. Raises `FetchError`."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            return bytes(response.read())
    except OSError as error:
        raise FetchError(f"{url} cannot be read: {error}") from error


def checked(content: bytes, sha256: str, what: str) -> bytes:
    """`content`, if it has the digest `sha256`. Raises `FetchError`."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FetchError(f"{what} is not what its index says (SHA-256)")
    return content


def signed_text(signed: bytes) -> str:
    """The text of a release file, which carries its signatures. Raises `FetchError`."""
    if shutil.which("gpgv") is None or not os.path.exists(KEYRING):
        print(
            "fetch_python: the signature of Debian's release file is not checked, for want of gpgv"
            f" or of {KEYRING}; the mirror's certificate is",
            file=sys.stderr,
        )
        return signed.decode("utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        path, text = Path(scratch, "InRelease"), Path(scratch, "Release")
        path.write_bytes(signed)
        command = ["gpgv", "--keyring", KEYRING, "--status-fd", "1", "--output", str(text)]
        result = subprocess.run([*command, str(path)], capture_output=True, check=False)
        # One signature by a key that is known is enough: an older Debian lacks the newest keys.
        states = set(re.findall(r"^\[GNUPG:\] (\w+)", result.stdout.decode(), re.MULTILINE))
        if "GOODSIG" not in states or "BADSIG" in states:
            said = result.stderr.decode("utf-8", "replace").strip().replace("\n", "; ")
            raise FetchError(f"the release file is not signed by Debian: {said}")
        return text.read_text(encoding="utf-8")


def read_index(architecture: str) -> dict[str, dict[str, str]]:
    """The fields of each package of the suite, by its name."""
    base = f"{MIRROR}/dists/{SUITE}"
    name = f"main/binary-{architecture}/Packages.xz"
    release = signed_text(fetch(base + "/InRelease"))
    listed = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(name)}$", release, re.MULTILINE)
    if listed is None:
        raise FetchError(f"{base}/InRelease does not list {name}")
    by_hash = f"{base}/{os.path.dirname(name)}/by-hash/SHA256/{listed.group(1)}"
    text = lzma.decompress(checked(fetch(by_hash), listed.group(1), name)).decode("utf-8")
    found = {}
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Package") in PACKAGES:
            found[fields["Package"]] = fields
    missing = sorted(set(PACKAGES) - set(found))
    if missing:
        raise FetchError("no {} in Debian {}".format(", ".join(missing), SUITE))
    return found


def unpack(package: bytes, root: Path) -> None:
    """Put the files of a Debian package, which is an `ar` of `tar` archives, into `root`."""
    at = len(b"!<arch>\n")
    while at < len(package):
        header = package[at : at + 60]
        name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
        at += 60
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(package[at : at + size])) as files:
                if hasattr(tarfile, "tar_filter"):
                    files.extraction_filter = staticmethod(tarfile.tar_filter)
                files.extractall(str(root))
            return
        at += size + size % 2
    raise FetchError("a package without files")


def settle(root: Path, triplet: str, loader: str, home: Path) -> None:
    """Make the interpreter in `root` start through its own libraries, from its place `home`."""
    here, there = root / "usr", home / "usr"
    libraries = "lib/" + triplet
    python = str(here / "bin" / ("python" + VERSION))
    patchelf = [str(here / libraries / loader), "--library-path", str(here / libraries)]
    patchelf.append(str(here / "bin" / "patchelf"))
    # In this order, one at a time: patchelf 0.18 makes programs that crash when it grows both.
    rpath = ["--force-rpath", "--set-rpath", str(there / libraries)]
    subprocess.run([*patchelf, *rpath, python], check=True)
    interpreter = str(there / libraries / loader)
    subprocess.run([*patchelf, "--set-interpreter", interpreter, python], check=True)
    # Debian's pyconfig.h names another one by its place in the system's folder of headers.
    include = here / "include"
    shutil.copyfile(
        str(include / triplet / ("python" + VERSION) / "pyconfig.h"),
        str(include / ("python" + VERSION) / "pyconfig.h"),
    )
    # ensurepip looks for the wheel of pip where Debian installs it.
    for settings in here.glob(f"lib/python{VERSION}/_sysconfigdata_*.py"):
        if not settings.is_symlink():
            text = settings.read_text(encoding="utf-8")
            wheels = str(there / "share" / "python-wheels")
            settings.write_text(text.replace("/usr/share/python-wheels", wheels), encoding="utf-8")


def install(folder: Path) -> Path:
    """The interpreter in `folder`, which is filled first if need be. Raises `FetchError`."""
    folder = folder.resolve()
    python = folder / "usr" / "bin" / ("python" + VERSION)
    if python.exists():
        return python
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise FetchError("Debian's packages run on Linux on {}".format(" and ".join(MACHINES)))
    architecture, triplet, loader = MACHINES[platform.machine()]
    index = read_index(architecture)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Put in place in one step, so that a folder that is there is whole.
    with tempfile.TemporaryDirectory(dir=str(folder.parent)) as scratch:
        root = Path(scratch, "root")
        for name in PACKAGES:
            content = fetch("{}/{}".format(MIRROR, index[name]["Filename"]))
            unpack(checked(content, index[name]["SHA256"], name), root)
        settle(root, triplet, loader, folder)
        root.rename(folder)
    try:
        # Debian compiles the standard library when it installs it. This also shows that it runs.
        library = str(folder / "usr" / "lib" / ("python" + VERSION))
        command = [str(python), "-I", "-m", "compileall", "-q", "-j", "0", "-x", "/test/", library]
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(str(folder))
        raise
    return python


def main() -> int:
    """The command: print where the interpreter is."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        print(install(Path(sys.argv[1])))
    except (FetchError, OSError, subprocess.CalledProcessError) as error:
        print(f"fetch_python: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
