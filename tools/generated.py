"""Files that are made from code: written in one mode, compared in the other, never edited."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def write(root: Path, files: dict[str, str], *, made_here: Iterable[str] = ()) -> list[str]:
    """Write what differs and remove what is made no more; answer the paths that changed."""
    changed = stale(root, files, made_here=made_here)
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def stale(root: Path, files: dict[str, str], *, made_here: Iterable[str] = ()) -> list[str]:
    """Answer the paths whose text is not what the code makes, those of no use any more included.

    `made_here` are patterns of paths that only the generator fills.
    """
    found = {path for path, text in files.items() if _text(root / path) != text}
    for pattern in made_here:
        there = {path.relative_to(root).as_posix() for path in root.glob(pattern)}
        found |= there - set(files)
    return sorted(found)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
