"""The folder of a run while it is going: beside the result under a hidden name, and kept when something stops it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from advisor.errors import AdvisorError, DataError, GoalError, NotApplicable, RunError
from advisor.measurement.machine import environment
from advisor.schema import RunRecord

from .faults import disk_full, out_of_memory
from .hardware import helping, together
from .journal import JOURNAL, WORK, Header, Journal, Pages, difference, read_pages
from .store import RECORD, check_free, read_record, read_run

GO_ON = "go on with --resume"


def unfinished(out: Path) -> Path:
    """Return the folder in which a run for `out` is at work."""
    return out.parent / f".{out.name}.unfinished"


def begun(out: Path) -> Header | None:
    """Return the order of an unfinished run, None where there is none."""
    pages = read_pages(unfinished(out))
    return None if pages is None else pages.header


def finished_before(out: Path, header: Header) -> RunRecord | None:
    """Return the record of a run that had already ended, or was stopped right before its folder got its name."""
    if helping():  # the first process may be about to rename folders
        together()
        return _finished(out, header)
    found = _finished(out, header)
    together()
    return found


def _finished(out: Path, header: Header) -> RunRecord | None:
    folder = unfinished(out)
    if (folder / RECORD).is_file():
        _check_same(_order_of(read_record(folder)), header, folder)
        _publish(folder, out)
        return read_run(out)
    if (folder / JOURNAL).is_file() or not (out / RECORD).is_file():
        return None
    record = read_run(out)
    _check_same(_order_of(record), header, out)
    return record


@contextlib.contextmanager
def at_work(out: Path, header: Header, *, space: int, resume: bool = False, restart: bool = False) -> Iterator[Journal]:
    """Give the journal of a run; its folder takes the place of `out` on success.

    What stops the run leaves the folder for `resume`; a refusal does not, for it would come again. `space` is what the
    files of the run take, in bytes, about.
    """
    check_free(out)
    folder = unfinished(out)
    if helping():
        with _as_helper(folder) as journal:
            yield journal
        return
    with _told(folder, space):
        out.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        with _alone(folder):
            journal = _opened(folder, out, header, resume=resume, restart=restart)
            together()
            try:
                yield journal
            except (NotApplicable, GoalError):
                shutil.rmtree(folder, ignore_errors=True)
                raise
            except BaseException as error:
                _left(journal, error)
                raise
            _publish(folder, out)
    together()


@contextlib.contextmanager
def _told(folder: Path, space: int) -> Iterator[None]:
    """Turn the many errors of a full disk, and of memory that does not suffice, into one that says what is needed."""
    try:
        yield
    except Exception as error:
        if isinstance(error, NotApplicable) or not (disk_full(error) or out_of_memory(error)):
            raise
        how = f"{GO_ON}, or begin anew with --restart" if folder.is_dir() else "apply the plan again"
        if not disk_full(error):
            raise RunError(
                "memory does not suffice",
                where=str(folder),
                remedy=f"Free memory or take a larger machine, then {how}.",
            ) from error
        free = shutil.disk_usage(folder.parent).free
        raise RunError(
            f"the disk is full: the run needs about {space / 1e6:.0f} MB in all, {free / 1e6:.0f} MB are free",
            where=str(folder),
            remedy=f"Make room, then {how}.",
        ) from error


@contextlib.contextmanager
def _as_helper(folder: Path) -> Iterator[Journal]:
    """Let another process of the same training read the journal and work in a folder of its own."""
    together()
    pages = read_pages(folder)
    if pages is None:
        raise RunError("the first process keeps no journal", where=str(folder))
    with tempfile.TemporaryDirectory() as scratch:
        yield Journal(folder, pages, Path(scratch))
        together()


def _opened(folder: Path, out: Path, header: Header, *, resume: bool, restart: bool) -> Journal:
    """Return the journal to go on with, or a new one in an empty folder."""
    pages = None if restart else read_pages(folder)
    begun = pages is not None and Journal(folder, pages).begun
    if begun and not resume:
        raise RunError(
            f"a run for {out} was begun and not finished",
            where=str(folder),
            remedy="Add --resume to go on with it, --restart to begin anew, or name another folder with --out.",
        )
    if pages is not None and (begun or (resume and not difference(pages.header, header))):
        _check_same(pages.header, header, folder)
        _empty(folder, but=(JOURNAL, WORK))
        return Journal(folder, pages)
    _empty(folder)
    (folder / WORK).mkdir()
    journal = Journal(folder, Pages(header=header, environment=environment(1)))
    journal.write()
    return journal


def _check_same(begun: Header, asked: Header, where: Path) -> None:
    if other := difference(begun, asked):
        raise RunError(
            f"this run cannot go on: {other}",
            where=str(where),
            remedy="Ask for what was begun, begin anew with --restart, or name another folder with --out.",
        )


def _left(journal: Journal, error: BaseException) -> None:
    """Keep the folder of a run that something stopped, and say how it goes on; drop it where nothing was done yet."""
    if not journal.begun:
        shutil.rmtree(journal.folder, ignore_errors=True)
        return
    if isinstance(error, DataError):  # without the file these would be other images, and another run
        _remedy(error, f"Put it right and {GO_ON}, or begin anew with --restart.")
    elif isinstance(error, AdvisorError):
        _remedy(error, f"{error.remedy} Then {GO_ON}, or begin anew with --restart.".strip())


def _remedy(error: AdvisorError, remedy: str) -> None:
    error.remedy = remedy
    error.args = (". ".join(part for part in (error.what, error.where, remedy) if part),)


def _order_of(record: RunRecord) -> Header:
    """Return the order that a run was made for."""
    return Header(
        plan=record.plan,
        model=record.model_digest,
        data=record.data.digest if record.data else None,
        device=record.device,
        seed=record.seed,
        max_drop=record.search.max_drop if record.search else None,
    )


def _publish(folder: Path, out: Path) -> None:
    """Let the folder take the place of `out`; a stop at any point leaves a state that `finished_before` mends."""
    shutil.rmtree(folder / WORK, ignore_errors=True)
    (folder / JOURNAL).unlink(missing_ok=True)
    folder.chmod(0o755)
    old = out.parent / f".{out.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    folder.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _empty(folder: Path, but: tuple[str, ...] = ()) -> None:
    for one in folder.iterdir():
        if one.name not in but:
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder; the lock ends with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(
                "another process is at work on this run", where=str(folder), remedy="Wait for it, or stop it first."
            ) from error
        yield
    finally:
        os.close(handle)
