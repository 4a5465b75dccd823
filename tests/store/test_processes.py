"""Several real processes on one store, and what SIGKILL, a full disk and missing permission leave behind."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isocenter.errors import StoreError
from isocenter.store import Store, create, open_store
from isocenter.store.catalogue import Catalogue, sqlite_url
from isocenter.store.locks import RowLocks
from tests.store.conftest import AT, a_dataset, a_volume

BEGIN = "import sys, time\nfrom isocenter.store import *\nplace = sys.argv[1]\n"
HOLD = BEGIN + "with open_store(place).hold('run:1'):\n    print('held', flush=True)\n    time.sleep(60)\n"
# bytes that never end: the writer is somewhere in the middle when it is killed
WRITE = (
    BEGIN + "from isocenter.store.files import files_at\n"
    "def parts():\n    yield bytes(1 << 20)\n    print('writing', flush=True)\n    time.sleep(60)\n"
    "files_at(place).write('blobs/ab/cd', parts())\n"
)


@contextmanager
def child(script: str, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own until it has said its first word."""
    command = [sys.executable, "-c", script, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def within(seconds: float, held: Callable[[], bool]) -> bool:
    """Return whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if held():
            return True
        time.sleep(0.05)
    return False


def can_hold(store: Store) -> bool:
    try:
        with store.hold("run:1"):
            return True
    except StoreError:
        return False


def test_the_second_process_is_told_who_holds_and_what_mends_it(store: Store) -> None:
    with child(HOLD, store.place) as holder:
        with pytest.raises(StoreError, match=rf"run:1 is in use by process {holder.pid} .*Wait"), store.hold("run:1"):
            pass
        with store.hold("run:2"):
            pass


def test_sigkill_frees_what_was_held(store: Store) -> None:
    with child(HOLD, store.place) as holder:
        assert not can_hold(store)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert can_hold(store)


def test_nothing_is_removed_while_somebody_is_at_work(store: Store) -> None:
    with child(HOLD, store.place), pytest.raises(StoreError, match="in use"), store.alone():
        pass
    with store.alone():
        assert not can_hold(store)


def test_two_holds_of_one_process_exclude_each_other_too(store: Store) -> None:
    with store.hold("run:1"), open_store(store.place) as again:
        assert not can_hold(again)
    assert can_hold(store)


def test_a_write_that_was_killed_leaves_no_half_file(store: Store) -> None:
    with child(WRITE, store.place) as writer:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert not store.blobs.has("abcd")
    assert not (Path(store.place) / "blobs" / "ab" / "cd").exists()
    (left,) = (Path(store.place) / "aside").iterdir()
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    open_store(store.place).close()
    assert not left.exists()


def test_processes_that_make_one_store_at_once_agree_on_it(tmp_path: Path) -> None:
    script = BEGIN + "s = open_store(place, create_new=True)\nprint(s.id, s.keys.public.id)"
    command = [sys.executable, "-c", script, str(tmp_path / "store")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [process.communicate() for process in started]
    assert [err for _, err in ended if err] == []
    assert len({out for out, _ in ended}) == 1


def test_processes_that_save_at_once_lose_nothing(store: Store) -> None:
    script = (
        BEGIN + "from tests.store.conftest import a_dataset, AT\ns = open_store(place)\n"
        "for n in range(5):\n    s.datasets.save(a_dataset(s, name=f'{sys.argv[2]}-{n}', cases=1, first=n), at=AT)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    started = [
        subprocess.Popen([sys.executable, "-c", script, store.place, name], env=environment) for name in ("one", "two")
    ]
    assert [process.wait() for process in started] == [0, 0]
    assert len(store.datasets.rows()) == 10


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Callable[[], RowLocks]]:
    """Return a maker of locks in one database, as processes on several machines have them."""
    made: list[Catalogue] = []

    def make() -> RowLocks:
        made.append(Catalogue(sqlite_url(tmp_path / "catalogue.db"), place="here"))
        made[-1].create()
        return RowLocks(made[-1], stale_s=1.0, beat_s=0.2)

    yield make
    for catalogue in made:
        catalogue.close()


def test_a_row_is_held_by_one_and_kept_fresh(rows: Callable[[], RowLocks]) -> None:
    one, two = rows(), rows()
    with one.hold("run:1"):
        time.sleep(1.5)  # longer than a row may be stale
        with pytest.raises(StoreError, match=r"run:1 is in use by process .*Wait"), two.hold("run:1"):
            pass
        with pytest.raises(StoreError, match="in use"), two.alone():
            pass
    with two.hold("run:1"), one.hold("run:2"):
        pass
    with two.alone(), pytest.raises(StoreError, match="removal is in use"), one.hold("run:1"):
        pass


def test_the_row_of_a_killed_process_is_taken_when_it_is_stale(rows: Callable[[], RowLocks], tmp_path: Path) -> None:
    locks = rows()
    script = (
        "import sys, time\nfrom isocenter.store.catalogue import *\nfrom isocenter.store.locks import RowLocks\n"
        "with RowLocks(Catalogue(sys.argv[1], place='there'), stale_s=1.0, beat_s=0.2).hold('run:1'):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )

    def taken() -> bool:
        try:
            with locks.hold("run:1"):
                return True
        except StoreError:
            return False

    with child(script, sqlite_url(tmp_path / "catalogue.db")) as holder:
        assert not taken()
        holder.send_signal(signal.SIGKILL)
        assert within(5, taken)


def limited(script: str, place: str, *, mib: float) -> str:
    """Run a script that may write no file longer than that; what it says.

    A limit of file size makes the system refuse a write (EFBIG) as a full disk does (ENOSPC); both are worded alike.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(mib * 2**20),) * 2)

    command = [sys.executable, "-c", script, place]
    return subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False).stderr


def test_a_full_disk_is_said_and_leaves_nothing_half_written(store: Store) -> None:
    store.put_volume(a_volume())
    before = {path: path.stat().st_size for path in Path(store.place).rglob("*") if path.is_file()}
    said = limited(BEGIN + "open_store(place).blobs.put(bytes(4 << 20))", store.place, mib=1)
    assert "StoreError: The disk of the store" in said
    assert "Make room" in said
    after = {path: path.stat().st_size for path in Path(store.place).rglob("*") if path.is_file()}
    assert after == before


def test_a_disk_that_is_full_for_the_catalogue_is_said_too(store: Store) -> None:
    store.datasets.save(a_dataset(store), at=AT)
    script = BEGIN + (
        "s = open_store(place)\nd = s.datasets.get('bodies')\nfrom dataclasses import replace\n"
        "for n in range(2000): s.datasets.save(replace(d, name=f'n{n}' * 40), at='')\n"
    )
    said = limited(script, store.place, mib=0.1)
    assert "StoreError: The catalogue of the store" in said
    assert "disk is full" in said
    with open_store(store.place) as again:
        assert again.datasets.get("bodies").id == store.datasets.find("bodies").id


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every account may enter, as pytest's own ones are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_an_account_without_permission_is_told_so(open_folder: Path) -> None:
    create(open_folder / "store").close()
    script = BEGIN + "open_store(place)"
    if os.getuid() == 0:  # root may do anything, so the child becomes nobody, after its imports
        script = BEGIN + "import os\nos.setuid(65534)\nopen_store(place)"
    else:
        (open_folder / "store" / "keys").chmod(0)
    command = [sys.executable, "-c", script, str(open_folder / "store")]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    (open_folder / "store" / "keys").chmod(0o700)
    assert "StoreError" in said
    assert "may not be" in said
    assert "Ask its owner" in said
