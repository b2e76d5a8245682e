"""Nothing of a developer's machine is committed: no path, no registry host, no address in a lock file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.layers.small_tree import ROOT

# Put together here, so that this page does not find itself.
HOSTS = (
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "repo.maven" + ".apache.org",
    "repo1" + ".maven.org",
    "registry.yarn" + "pkg.com",
    "proxy.go" + "lang.org",
)
PLACES = re.compile(r"(?<![\w.$~{}-])/(home/[a-z]|Users/[A-Za-z]|root/[a-z.]|private/var/)|[A-Z]:\\Users\\[A-Za-z]")
EVERYWHERE = {"/", "/tmp", "/var/tmp", "/opt", "/srv", "/home", "/root", "/app", "/src", "/usr/src", "/mnt"}
ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host|^\s*-i\s", re.MULTILINE)
LOCKS = ("*.lock", "lock.txt", "package-lock.json", "requirements*.txt")


def committed(root: Path = ROOT) -> list[Path]:
    """Files that git knows or would take; every file of a copy without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if listed.returncode:
        return [path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [root / name for name in listed.stdout.decode().split("\0") if name and (root / name).is_file()]


def strays(text: str, parent: str) -> list[str]:
    """What a file says about a machine or a registry."""
    found = [host for host in HOSTS if host in text]
    found += [match.group(0) for match in PLACES.finditer(text)]
    # A checkout in `/` itself, or where every machine keeps such things, has no parent that names a machine.
    if parent not in EVERYWHERE and f"{parent}/" in text:
        found.append(parent)
    return found


def test_no_file_names_a_path_of_a_machine_or_a_registry_host() -> None:
    """A clone elsewhere, behind another mirror, must not even notice."""
    found = {}
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and other binaries
        if seen := strays(text, str(ROOT.parent)):
            found[path.relative_to(ROOT).as_posix()] = seen
    assert found == {}


def test_no_lock_file_holds_an_address() -> None:
    """Pinned with hashes and no download addresses."""
    locks = [path for path in committed() if any(path.match(pattern) for pattern in LOCKS)]
    assert locks
    for path in locks:
        assert not ADDRESS.search(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("lock", ["lock.txt", "bench.lock", "desk.lock"])
def test_every_line_of_the_lock_is_pinned_with_a_hash(lock: str) -> None:
    """What is installed tomorrow is what was tested today."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


@pytest.mark.parametrize(
    "violation",
    [
        "see /home/" + "ann/notes",
        "path = '/Users/" + "Ann/x'",
        "https://pypi" + ".org/simple",
        "cd /here/we/are/main",
    ],
)
def test_a_stray_is_seen(violation: str) -> None:
    """The violation, planted."""
    assert strays(violation, "/here/we/are")


@pytest.mark.parametrize("line", ["--index-url=https://x/simple", "a==1 @ https://x/a.whl", "-i http://x"])
def test_an_address_in_a_lock_is_seen(line: str) -> None:
    """The violation, planted."""
    assert ADDRESS.search(line)


@pytest.mark.parametrize("text", ["$HOME/x", "postgresql://a@/b?host=/tmp/x", "GET /home", "a/root/x"])
def test_an_honest_line_passes(text: str) -> None:
    """The other half of the rule."""
    assert strays(text, "/here/we/are") == []
