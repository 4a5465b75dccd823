"""A PACS asked by DICOMweb (PS3.18): QIDO-RS for what there is, WADO-RS for the instances as they are stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from types import TracebackType
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import DeflatedExplicitVRLittleEndian

from isocenter.clinic.hospital.pacs import Pacs
from isocenter.clinic.hospital.query.archive import FIELDS, Instance, Series, Take
from isocenter.clinic.hospital.query.question import Question
from isocenter.errors import DroppedError, InputError, PeerError

_TAGS = {
    "StudyInstanceUID": "0020000D", "StudyDate": "00080020", "PatientID": "00100020", "AccessionNumber": "00080050",
    "ModalitiesInStudy": "00080061", "SeriesInstanceUID": "0020000E", "Modality": "00080060",
    "NumberOfSeriesRelatedInstances": "00201209", "SOPInstanceUID": "00080018", "SOPClassUID": "00080016",
}  # fmt: skip
_PAGE = 500  # answers asked for at a time; a server may give fewer
_AS_STORED = (("application/dicom", "*"),)  # PS3.18 8.7.3.5.2: any transfer syntax, so that nothing is transcoded
_GONE = frozenset({404, 410})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_CLOSED = frozenset({401, 403})

Answer = Mapping[str, Any]


class WebArchive(AbstractContextManager["WebArchive"]):
    """A PACS that speaks DICOMweb.

    Args:
        pacs: Where it answers.
        how: "web" or "auto".
        listen: Not used: nothing is sent to us that we have not asked for.
        take: Who takes what comes; None where nothing will be retrieved.

    Raises:
        InputError: Another way is asked for.
        FileError: A certificate cannot be read.
    """

    way = "web"

    def __init__(self, pacs: Pacs, *, how: str, listen: str, take: Take | None) -> None:
        if how not in ("web", "auto") or listen:
            raise InputError("An address of https:// is asked by DICOMweb, which needs no --listen and no other --how.")
        self._pacs, self._take = pacs, take
        self._session = _session(pacs)
        root = f"{pacs.scheme}://{f'[{pacs.host}]' if ':' in pacs.host else pacs.host}:{pacs.port}{pacs.path}"
        self._client = DICOMwebClient(root, session=self._session, permissive_uid=True, timeout=pacs.timeout_s)
        self._client.set_http_retry_params(retry=False)  # who asks waits, and says so

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._session.close()

    def find_studies(self, question: Question) -> Sequence[Mapping[str, str]]:
        """Return what the PACS says of the studies that a question asks for.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
        """
        ask, fields = self._client.search_for_studies, list(FIELDS)
        found = self._pages(ask, "StudyInstanceUID", fields=fields, search_filters=dict(question.keys))
        return [{name: _text(one, name) for name in FIELDS} for one in found]

    def list_series(self, study: str) -> Sequence[Series]:
        """Return the series of a study, with the instances that it lists.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
        """
        fields = ["Modality", "NumberOfSeriesRelatedInstances"]
        found = self._pages(self._client.search_for_series, "SeriesInstanceUID", study, fields=fields)
        return [self._series(study, one) for one in found]

    def retrieve(self, series: Series, lacking: Sequence[Instance]) -> None:
        """Have instances sent to who takes them; all of the series where `lacking` is empty.

        Raises:
            DroppedError: The connection was lost.
            PeerError: The PACS refuses.
            OSError: What comes cannot be written.
        """
        if self._take is None:
            raise InputError("Nobody takes what the PACS would send.")
        if not lacking:
            for whole in self._streamed(series):
                self._take(whole)
        for whole in self._singly(series, lacking):
            self._take(whole)

    def _streamed(self, series: Series) -> Iterator[bytes]:
        with _dropping(self._pacs, is_retrieving=True):
            for one in self._client.iter_series(series.study, series.uid, media_types=_AS_STORED):
                yield _file_of(one)

    def _singly(self, series: Series, lacking: Sequence[Instance]) -> Iterator[bytes]:
        for one in lacking:
            with _dropping(self._pacs, is_retrieving=True):
                yield _file_of(
                    self._client.retrieve_instance(series.study, series.uid, one.uid, media_types=_AS_STORED)
                )

    def _series(self, study: str, found: Answer) -> Series:
        uid, said = _text(found, "SeriesInstanceUID"), _text(found, "NumberOfSeriesRelatedInstances")
        listed = self._pages(self._client.search_for_instances, "SOPInstanceUID", study, uid, fields=["SOPClassUID"])
        instances = (Instance(uid=_text(one, "SOPInstanceUID"), sop_class=_text(one, "SOPClassUID")) for one in listed)
        return Series(
            study=study, uid=uid, modality=_text(found, "Modality"), said=int(said) if said.isdigit() else None,
            instances=tuple(sorted(instances, key=lambda one: one.uid)),
        )  # fmt: skip

    def _pages(self, ask: Callable[..., list[Any]], key: str, *of: str, **asked: object) -> list[Answer]:
        """Return every answer, page by page, each once: a server may not know pages, or give shorter ones."""
        found: dict[str, Answer] = {}
        at = 0
        while True:
            with _dropping(self._pacs, is_retrieving=False):
                page = ask(*of, limit=_PAGE, offset=at, **asked)
            new = {_text(one, key): one for one in page if _text(one, key)}
            if not new.keys() - found.keys():
                return list(found.values())
            found |= new
            at += len(page)


def _session(pacs: Pacs) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy and no login of this machine's that nobody named
    session.max_redirects = 0  # questions name persons: nobody is to send them elsewhere
    pacs.tls_asking()  # refuses a certificate that cannot be read in words, before anything is asked
    if pacs.ca is not None:
        session.verify = str(pacs.ca)
    if pacs.certificate is not None:
        session.cert = str(pacs.certificate)
    if pacs.login:
        session.headers["Authorization"] = pacs.login
    return session


@contextmanager
def _dropping(pacs: Pacs, *, is_retrieving: bool) -> Iterator[None]:
    """Turn what the network's libraries raise into words; theirs hold addresses with UIDs in them."""
    try:
        yield
    except requests.HTTPError as error:
        _refused(0 if error.response is None else error.response.status_code, is_retrieving=is_retrieving)
    except requests.exceptions.SSLError:
        raise PeerError(
            f"The certificate of {pacs.host} is not trusted, or ours is not. Name the one that signed it with --ca."
        ) from None
    except requests.TooManyRedirects:
        raise PeerError(f"{pacs.host} sends us elsewhere; a question that names persons is not sent on.") from None
    except (InvalidDicomError, requests.exceptions.InvalidJSONError, ValueError, KeyError, EOFError) as error:
        raise DroppedError(f"{pacs.host} answered what is no DICOMweb ({type(error).__name__}).") from None
    except requests.ConnectionError:
        raise DroppedError(f"The connection to {pacs.host}:{pacs.port} failed or was lost.") from None
    except requests.RequestException as error:
        raise DroppedError(f"{pacs.host} did not answer to the end ({type(error).__name__}).") from None


def _refused(status: int, *, is_retrieving: bool) -> None:
    """Do nothing where something is gone; who counts sees that it lacks.

    Raises:
        DroppedError: Asking again may help.
        PeerError: It will not.
    """
    if status in _GONE and is_retrieving:
        return
    if status in _LATER:
        raise DroppedError(f"The PACS cannot answer now (HTTP {status}).") from None
    if status in _CLOSED:
        raise PeerError(f"The PACS does not let us in (HTTP {status}). Give a login with --login FILE.") from None
    raise PeerError(f"The PACS refuses (HTTP {status}). Check the address: it ends in DICOMweb's root.") from None


def _file_of(found: Dataset) -> bytes:
    """Return an instance's file as it came.

    dicomweb-client parses each part; the bytes that it was parsed from stay with it, but for deflated ones, of which
    it keeps what they inflate to.
    """
    if not isinstance(found, FileDataset):
        raise InvalidDicomError
    whole = BytesIO()
    if isinstance(found.buffer, BytesIO) and found.file_meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian:
        return found.buffer.getvalue()
    found.save_as(whole, enforce_file_format=True)
    return whole.getvalue()


def _text(found: Answer, name: str) -> str:
    """Return a value of DICOM's JSON (PS3.18 annex F) as text."""
    values = found.get(_TAGS[name], {}).get("Value") or []
    return "\\".join(str(one) for one in values).strip()
