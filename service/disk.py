"""Files that are on the disk once we say so: no loss of power takes them back."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write *text* to *path*, readable for us only and never seen half-written."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when the disk knows which files are in *folder*, and which no more."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
