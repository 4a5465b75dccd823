"""Another machine by its address, and how it may know us: names, certificates, login."""

import ipaddress
import re
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from isocenter.errors import FileError, InputError

_PORTS = {"dicom": 104, "dicoms": 2762, "http": 80, "https": 443}  # PS3.8 9.1.1, PS3.15 B.1; RFC 9110
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # PS3.5 6.2, AE: no backslash, no control characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacs:
    """Where a PACS answers, and how we introduce ourselves there.

    Args:
        scheme: "dicom"; "dicoms", the same over TLS (PS3.15 annex B); "https" or "http" for DICOMweb (PS3.18).
        host: Name or address.
        port: TCP.
        path: Of DICOMweb's root, such as "/dicom-web".
        title: The PACS's application entity title; empty for DICOMweb.
        calling: Our own.
        ca: PEM file with the certificates that are trusted; None trusts those that this machine does.
        certificate: PEM file with our certificate and its key, for a PACS that asks for one.
        login: The HTTP header Authorization; empty where none is asked for.
        timeout_s: How long it may be silent.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    title: str = ""
    calling: str = "ISOCENTER"
    ca: Path | None = None
    certificate: Path | None = None
    login: str = field(default="", repr=False)
    timeout_s: float = 120.0

    def __post_init__(self) -> None:
        for title in (self.calling, *([] if self.is_web else [self.title])):
            if not _TITLE.fullmatch(title) or not title.strip():
                raise InputError(f"{title!r} is no AE title: 1 to 16 letters, digits and signs, without a backslash.")
        if self.login and self.scheme == "http" and not self.is_here:
            raise InputError("A login would cross the network in the clear. Ask over https, or without --login.")
        if self.certificate is not None and not self.is_encrypted:
            raise InputError("A certificate is shown over TLS alone. Write dicoms:// or https://, or leave it out.")

    @property
    def is_web(self) -> bool:
        """Whether it is asked by DICOMweb."""
        return self.scheme in ("http", "https")

    @property
    def is_encrypted(self) -> bool:
        """Whether what is sent cannot be read on the way."""
        return self.scheme in ("dicoms", "https")

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def address(self) -> str:
        """The address as it was given, without anything secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        title = "" if self.is_web else f"{self.title}@"
        return f"{self.scheme}://{title}{host}:{self.port}{self.path}"

    def tls_asking(self) -> ssl.SSLContext | None:
        """Return how the PACS's certificate is checked and ours shown; None where nothing is encrypted.

        Raises:
            FileError: A certificate cannot be read.
        """
        if not self.is_encrypted:
            return None
        return self._shown(_trusting(ssl.Purpose.SERVER_AUTH, self.ca))

    def tls_listening(self) -> ssl.SSLContext | None:
        """Return how a PACS that calls us over TLS is checked; None where nothing is encrypted.

        Raises:
            FileError: A certificate cannot be read.
            InputError: There is none of ours, which a listener must show.
        """
        if not self.is_encrypted:
            return None
        if self.certificate is None:
            raise InputError("To be sent images over TLS we must show a certificate. Name it with --certificate.")
        context = _trusting(ssl.Purpose.CLIENT_AUTH, self.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._shown(context)

    def _shown(self, context: ssl.SSLContext) -> ssl.SSLContext:
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate)
            except (OSError, ssl.SSLError) as error:
                raise FileError(
                    f"{self.certificate} holds no certificate with its key that can be read. Both belong into one PEM "
                    "file, the key without a passphrase."
                ) from error
        return context


def pacs_at(url: str, *, calling: str, ca: Path | None, certificate: Path | None, login: Path | None) -> Pacs:
    """Return the PACS at an address: dicom://TITLE@host:port, dicoms://…, or https://host/dicom-web.

    Args:
        url: The address. No login may stand in it: it would be kept in the shell's history.
        calling, ca, certificate: See Pacs.
        login: File with one line, "user:password" or "Bearer TOKEN".

    Raises:
        InputError: No address of such a form.
        FileError: The login cannot be read.
    """
    parts = urlsplit(url)
    is_web = parts.scheme in ("http", "https")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or (not is_web and not parts.username):
        raise InputError(
            "No address of a PACS. Write dicom://TITLE@host:port, with its AE title, or https://host/dicom-web."
        )
    if parts.password is not None or (is_web and parts.username is not None) or parts.query or parts.fragment:
        raise InputError("An address holds no login and no question. Put user:password into a file for --login.")
    return Pacs(
        scheme=parts.scheme, host=parts.hostname, port=port or _PORTS[parts.scheme],
        path=parts.path.rstrip("/") if is_web else "", title="" if is_web else parts.username or "", calling=calling,
        ca=ca, certificate=certificate, login="" if login is None else _authorization(login),
    )  # fmt: skip


def _trusting(purpose: ssl.Purpose, ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(purpose, cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise FileError(f"{ca} holds no certificate that can be read. It must be a PEM file.") from error


def _authorization(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read. It must hold one line, user:password or Bearer TOKEN.") from error
    if text.startswith("Bearer ") and "\n" not in text:
        return text
    if ":" not in text or "\n" in text:
        raise FileError(f"{path} holds no login: one line, user:password or Bearer TOKEN.")
    return "Basic " + b64encode(text.encode()).decode()
