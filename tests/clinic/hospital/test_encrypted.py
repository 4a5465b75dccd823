"""A PACS over TLS: its certificate is always checked, ours is shown, logins open the door."""

import datetime
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from isocenter import pipeline
from isocenter.errors import FileError, InputError, PeerError
from isocenter.pipeline.fetching import Fetched
from tests.clinic.hospital.orthanc import LOGIN, Orthanc, running

pytestmark = pytest.mark.xdist_group("orthanc")


def write_certificate(folder: Path, name: str, signer: str = "") -> None:
    """Write NAME.pem (certificate, then key), NAME.crt and NAME.key; signed by themselves without a signer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = subject, key
    if signer:
        issuer = x509.load_pem_x509_certificate((folder / f"{signer}.crt").read_bytes()).subject
        loaded = serialization.load_pem_private_key((folder / f"{signer}.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signing = loaded
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not signer, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(signing, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.crt").write_bytes(made.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(secret)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(pem) + secret)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority, and a certificate for the PACS and one for us."""
    folder = tmp_path_factory.mktemp("tls")
    for name, signer in (("ca", ""), ("pacs", "ca"), ("ours", "ca"), ("other", "")):
        write_certificate(folder, name, signer)
    (folder / "login").write_text(f"{LOGIN}\n")
    return folder


@pytest.fixture(scope="module")
def locked(orthanc_program: str, certificates: Path, public: Path) -> Iterator[Orthanc]:
    """Give a PACS that speaks over TLS alone, and lets in who has a certificate or a login."""
    assert orthanc_program
    settings = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(certificates / "pacs.crt"), "DicomTlsPrivateKey": str(certificates / "pacs.key"),
        "DicomTlsTrustedCertificates": str(certificates / "ca.crt"), "DicomTlsRemoteCertificateRequired": True,
        "AuthenticationEnabled": True,
    }  # fmt: skip
    with running(certificates, **settings) as archive:
        archive.store(*sorted(public.iterdir()))
        yield archive


class Front(BaseHTTPRequestHandler):
    """What stands before a PACS in a hospital and ends TLS: Debian's Orthanc 1.10 itself falls over with SslEnabled."""

    behind: ClassVar[str] = ""

    def do_GET(self) -> None:
        heads = {name: self.headers[name] for name in ("Accept", "Authorization") if name in self.headers}
        request = urllib.request.Request(self.behind + self.path, headers=heads)  # noqa: S310 - our own server
        try:
            answer = urllib.request.urlopen(request, timeout=10)  # noqa: S310
        except urllib.error.HTTPError as error:
            answer = error
        body = answer.read()
        self.send_response(answer.status or 500)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        return


@pytest.fixture(scope="module")
def web(locked: Orthanc, certificates: Path) -> Iterator[str]:
    """Give the address of DICOMweb over TLS."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Kind", (Front,), {"behind": f"http://localhost:{locked.http}"})
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "pacs.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/dicom-web"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("way", ["get", "move", "web"])
def test_a_pacs_behind_tls_is_read_by_who_has_the_keys(
    way: str, locked: Orthanc, web: str, certificates: Path, tmp_path: Path
) -> None:
    done = pipeline.fetch(
        web if way == "web" else locked.address, tmp_path / "out", from_="1990-01-01", modality="MR,OT",
        how=way, listen=f"127.0.0.1:{locked.ours}" if way == "move" else "", ca=certificates / "ca.crt",
        certificate=certificates / "ours.pem", login=certificates / "login", store=tmp_path / "store",
    )  # fmt: skip
    assert isinstance(done, Fetched)
    assert (done.to_json()["encrypted"], done.to_json()["held"], done.retrieved.lacks) == (True, True, ())
    assert len(list(tmp_path.glob("out/images/*/*/*.dcm"))) == done.to_json()["new"] == 4


def test_a_certificate_that_nobody_trusts_ends_it(locked: Orthanc, web: str, certificates: Path) -> None:
    for ca in (None, certificates / "other.crt"):
        with pytest.raises(PeerError, match="--ca"):
            pipeline.fetch(web, accession="ACC1", dry_run=True, ca=ca, login=certificates / "login")
        with pytest.raises(PeerError, match="--ca"):
            pipeline.fetch(locked.address, accession="ACC1", dry_run=True, ca=ca, certificate=certificates / "ours.pem")


def test_who_shows_no_certificate_and_no_login_is_not_let_in(locked: Orthanc, web: str, certificates: Path) -> None:
    with pytest.raises(PeerError, match="--login"):
        pipeline.fetch(web, accession="ACC1", dry_run=True, ca=certificates / "ca.crt")
    with pytest.raises(PeerError):
        pipeline.fetch(locked.address, accession="ACC1", dry_run=True, ca=certificates / "ca.crt")


def test_a_port_for_a_pacs_behind_tls_needs_a_certificate_of_ours(
    locked: Orthanc, web: str, certificates: Path
) -> None:
    with pytest.raises(FileError, match="certificate"):
        pipeline.fetch(web, accession="ACC1", dry_run=True, ca=certificates / "login")
    with pytest.raises(InputError, match="TLS alone"):
        pipeline.fetch("dicom://A@localhost", accession="1", dry_run=True, certificate=certificates / "ours.pem")
