"""An Orthanc of our own: started on free ports of this machine, with a storage that is thrown away."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TITLE, OURS = "ARCHIVE", "ISOCENTER"
LOGIN = "reader:secret"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass(frozen=True)
class Orthanc:
    """A PACS that answers on this machine.

    Args:
        ours: The port that it sends to, at a C-MOVE.
        scheme: "dicoms" where it speaks DICOM over TLS alone.
        login: The header that lets in, where one is asked for.
    """

    dicom: int
    http: int
    ours: int
    scheme: str = "dicom"
    login: str = ""

    @property
    def address(self) -> str:
        return f"{self.scheme}://{TITLE}@localhost:{self.dicom}"

    @property
    def web(self) -> str:
        return f"http://localhost:{self.http}/dicom-web"

    def ask(self, path: str, body: bytes | None = None, *, method: str | None = None) -> Any:
        """Return what its own API answers."""
        url = f"http://localhost:{self.http}{path}"
        request = urllib.request.Request(url, data=body, method=method)
        if self.login:
            request.add_header("Authorization", self.login)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def store(self, *paths: Path) -> None:
        """Put files into it."""
        for path in paths:
            self.ask("/instances", path.read_bytes())

    def find(self, level: str, **query: str) -> list[str]:
        """Return its own ids of what matches."""
        found: list[str] = self.ask("/tools/find", json.dumps({"Level": level, "Query": query}).encode())
        return found

    def remove(self, level: str, **query: str) -> None:
        """Take out what matches."""
        for one in self.find(level.capitalize(), **query):
            self.ask(f"/{'studies' if level == 'study' else level}/{one}", method="DELETE")


def executable() -> str | None:
    """Return the program, where it is installed with its DICOMweb plug-in."""
    found = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    return found if PLUGIN.exists() else None


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Give an Orthanc that lives as long as the block.

    Args:
        folder: Where it keeps everything.
        settings: Of its configuration, beside ours.
    """
    dicom, http, ours = free_ports(3)
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "Name": "tests", "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "storage"),
        "HttpPort": http, "DicomPort": dicom, "DicomAet": TITLE, "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True}, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True,
        "DicomModalities": {"us": [OURS, "127.0.0.1", ours]}, "ConcurrentJobs": 1, "DicomThreadsCount": 2,
        "DicomCheckCalledAet": True,
    }  # fmt: skip
    login = ""
    if settings.get("DicomTlsEnabled"):
        told["DicomModalities"] = {"us": {"AET": OURS, "Host": "127.0.0.1", "Port": ours, "UseDicomTls": True}}
    if settings.get("AuthenticationEnabled"):
        login = f"Basic {b64encode(LOGIN.encode()).decode()}"
        told["RegisteredUsers"] = dict([LOGIN.split(":")])
    (folder / "orthanc.json").write_text(json.dumps(told | settings))
    archive = Orthanc(
        dicom=dicom, http=http, ours=ours, scheme="dicoms" if settings.get("DicomTlsEnabled") else "dicom", login=login
    )
    program = executable()
    assert program is not None
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
    try:
        _wait(archive, process, folder / "log")
        yield archive
    finally:
        process.kill()  # what it keeps is thrown away
        process.wait(timeout=20)


def _wait(archive: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            archive.ask("/system")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Orthanc does not answer: {log.read_text(errors='replace')[-2000:]}")
