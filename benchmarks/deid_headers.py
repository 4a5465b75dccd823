"""De-identification, measure 1: every attribute of table E.1-1, planted with identity, in files of all common classes.

usage: python benchmarks/deid_headers.py [--files 2000] [--tools ours dicom-anonymizer deid] [--peers PYTHON]

The corpus is made here: files of 30 object classes, in both little-endian encodings, each with some 120 attributes of
the table at the outermost level and in sequences to a depth of four, private blocks, a preamble that names somebody,
and some 60 attributes that the table does not list, with technical values. Every planted value holds a word of its
own. What is right for an attribute is taken from dicom-anonymizer's transcription of the table (edition 2026c), not
from ours; an action of several letters accepts each of them. An attribute that is not listed must stay as it was.

Each tool cleans the same folder in a process of its own, timed from its first file to its last. dicom-anonymizer and
deid run in the environment of --peers (pip install dicom-anonymizer deid); without it they are left out.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import DicomDictionary, dictionary_VR
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

_ROOT = Path(__file__).resolve().parents[1]
_CLASSES = (
    "1", "1.1", "1.2", "1.3", "2", "2.1", "3.1", "4", "4.1", "6.1", "6.2", "7", "7.2", "9.1.1", "11.1", "12.1", "12.2",
    "20", "66.4", "77.1.1", "77.1.4", "77.1.5.1", "77.1.5.4", "88.11", "88.22", "88.33", "128", "481.1", "481.3",
    "481.5",
)  # fmt: skip
_LISTS = {
    "X_TAGS": "X", "U_TAGS": "U", "D_TAGS": "D", "Z_TAGS": "Z", "X_Z_TAGS": "X/Z", "X_D_TAGS": "X/D",
    "Z_D_TAGS": "Z/D", "X_Z_D_TAGS": "X/Z/D", "X_Z_U_STAR_TAGS": "X/Z/U",
}  # fmt: skip
_SET_ANEW = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280303})  # E.1.1: what was done
_TEXT = {"AE": 16, "CS": 16, "LO": 64, "LT": 200, "PN": 60, "SH": 16, "ST": 200, "UC": 200, "UT": 200}
_TECHNICAL = {
    "DS": "1.5",
    "IS": "7",
    "US": 3,
    "FD": 0.25,
    "FL": 0.5,
    "UL": 9,
    "SS": -2,
    "CS": "NEUTRAL",
    "SH": "neutral",
}
_STRUCTURAL = frozenset(
    {0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080060, 0x00280002, 0x00280004, 0x00280010,
     0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x7FE00010, 0x00280008}
)  # fmt: skip


def main() -> None:
    """Make the corpus, run each tool, judge, and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--files", type=int, default=2000)
    asked.add_argument("--tools", nargs="+", default=list(TOOLS), choices=tuple(TOOLS))
    asked.add_argument("--peers", type=Path, help="python of an environment with dicom-anonymizer and deid")
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "deid-headers")
    asked.add_argument("--part", choices=tuple(TOOLS), help="clean here and now, with one tool")
    told = asked.parse_args()
    corpus = told.out / f"corpus-{told.files}"
    if told.part:
        began = time.monotonic()
        names = TOOLS[told.part](corpus, told.out / told.part)
        seconds = time.monotonic() - began
        (told.out / f"{told.part}.json").write_text(json.dumps({"seconds": seconds, "names": names}))
        return
    if not corpus.is_dir():
        make(corpus, told.files)
    for tool in told.tools:
        python = sys.executable if tool == "ours" else told.peers
        if python is None:
            print(f"{tool}: left out, as no --peers was given", file=sys.stderr)
            continue
        shutil.rmtree(told.out / tool, ignore_errors=True)
        words = ["--files", str(told.files), "--out", str(told.out), "--part", tool]
        subprocess.run([str(python), __file__, *words], check=True)
        report(tool, corpus, told.out)


def make(corpus: Path, count: int) -> None:
    """Write the corpus into a folder that appears whole."""
    aside = corpus.with_name(f".{corpus.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    rng = random.Random(20261121)  # noqa: S311 (no secret)
    for number in range(count):
        made = planted(rng, sop_class=f"1.2.840.10008.5.1.4.1.1.{_CLASSES[number % len(_CLASSES)]}", number=number)
        made.save_as(aside / f"{number:05d}.dcm", enforce_file_format=True)
    aside.rename(corpus)


def planted(rng: random.Random, *, sop_class: str, number: int) -> FileDataset:
    """Return a file with identity in listed attributes and technical values in others."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = rng.choice((ExplicitVRLittleEndian, ImplicitVRLittleEndian))
    made = FileDataset("", {}, file_meta=meta, preamble=b"Canary was here".ljust(128, b"\0"))
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = generate_uid(), generate_uid(), "CT"
    made.PatientName, made.PatientID = f"Canary{number}^Planted", f"CANARY{number}"
    fill(made, rng, share=0.15, depth=0)
    block = made.private_block(0x0099, "CANARY WORKS", create=True)
    block.add_new(0x01, "LO", word(rng))
    block.add_new(0x02, "PN", word(rng))
    made.Rows = made.Columns = 4
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.PixelData = bytes(range(32))
    return made


def fill(made: Dataset, rng: random.Random, *, share: float, depth: int) -> None:
    """Plant listed and other attributes into a data set, and go on into sequences."""
    for tag in listed():
        if tag in _STRUCTURAL or tag >> 16 < 8 or rng.random() > share or tag in made:
            continue
        vr = dictionary_VR(tag) if tag in DicomDictionary else "UN"
        if vr == "SQ":
            if depth < 4:
                made.add_new(tag, "SQ", Sequence([Dataset()]))
                fill(made[tag].value[0], rng, share=share / 8, depth=depth + 1)
        elif (value := identity(rng, vr)) is not None:
            made.add_new(tag, vr, value)
    for tag in rng.sample(unlisted(), 60 if depth == 0 else 4):
        vr = dictionary_VR(tag)
        if vr == "SQ":
            if depth < 2:
                made.add_new(tag, "SQ", Sequence([Dataset()]))
                fill(made[tag].value[0], rng, share=share / 8, depth=depth + 1)
        else:
            made.add_new(tag, vr, _TECHNICAL[vr])


def word(rng: random.Random) -> str:
    """Return a word that is nowhere else."""
    return "CANARY" + "".join(rng.choice("ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(8))


def identity(rng: random.Random, vr: str) -> Any:
    """Return a value that would tell who somebody is, valid for its kind; None where none can."""
    if vr in _TEXT:
        return word(rng)[: _TEXT[vr]]
    day = f"19{rng.randint(30, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    times = {"DA": day, "DT": f"{day}{rng.randint(10, 23)}4711", "TM": f"{rng.randint(10, 23)}4712", "AS": "037Y"}
    others = {
        "UI": generate_uid(), "UR": f"http://canary.example/{word(rng)}", "DS": "47.11", "IS": "4711", "OB": b"CANARY",
        "UN": b"CANARY", "FL": 4.5, "FD": 47.25, "US": 4711, "UL": 471147, "SS": 471, "SL": 47114,
    }  # fmt: skip
    return times.get(vr, others.get(vr))


@cache
def actions() -> dict[int, str]:
    """Return the key: each attribute's action by dicom-anonymizer's lists."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as lists

    return {g << 16 | e: action for name, action in _LISTS.items() for g, e, *more in getattr(lists, name) if not more}


@cache
def listed() -> list[int]:
    """Return the attributes of the key, by tag."""
    return sorted(actions())


@cache
def unlisted() -> list[int]:
    """Return standard attributes that the key does not list, of kinds whose values can be technical."""
    known = actions() | dict.fromkeys(_STRUCTURAL, "")
    return [
        tag
        for tag, (vr, vm, _, retired, _) in sorted(DicomDictionary.items())
        if tag not in known and tag >> 16 >= 8 and (vr in _TECHNICAL or vr == "SQ") and vm == "1" and not retired
        and tag >> 16 not in (0x0012, 0x0072, 0x5200, 0x5400, 0xFFFC, 0xFFFA) and tag & 0xFFFF
    ]  # fmt: skip


def by_us(corpus: Path, out: Path) -> dict[str, str]:
    """Clean the headers of the corpus by ours, as dicom-anonymizer does: no pixel is looked at."""
    from isocenter.dicom.elements.file import read_file, seldom_collected, write_file
    from isocenter.intake.deid.headers import clean_headers
    from isocenter.intake.deid.profile.profile import Profile
    from isocenter.intake.deid.pseudonyms import Pseudonyms
    from isocenter.security.keyed import Keyed

    out.mkdir(parents=True)
    profile, pseudonyms = Profile.of(()), Pseudonyms(Keyed(secret=bytes(32)))
    for path in sorted(corpus.glob("*.dcm")):
        with seldom_collected():
            cleaned = clean_headers(read_file(path), profile=profile, pseudonyms=pseudonyms)
            write_file(cleaned.file, out / path.name)
    return {path.name: path.name for path in out.glob("*.dcm")}


def by_anonymizer(corpus: Path, out: Path) -> dict[str, str]:
    """Clean the corpus by dicom-anonymizer."""
    from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file

    out.mkdir(parents=True)
    for path in sorted(corpus.glob("*.dcm")):
        anonymize_dicom_file(str(path), str(out / path.name))
    return {path.name: path.name for path in out.glob("*.dcm")}


def by_deid(corpus: Path, out: Path) -> dict[str, str]:
    """Clean the corpus by deid, with the recipe that it ships; files on which it stops are not written."""
    from deid.dicom import replace_identifiers

    out.mkdir(parents=True)
    for path in sorted(corpus.glob("*.dcm")):
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            for cleaned in replace_identifiers([str(path)], save=False, disable_skip=True, strip_sequences=False):
                cleaned.save_as(out / path.name)
    return {path.name: path.name for path in out.glob("*.dcm")}


TOOLS = {"ours": by_us, "dicom-anonymizer": by_anonymizer, "deid": by_deid}


def report(tool: str, corpus: Path, out: Path) -> None:
    """Judge what a tool left, and print its row."""
    told = json.loads((out / f"{tool}.json").read_text())
    right, wrong = 0, Counter[str]()
    by_action: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path in sorted(corpus.glob("*.dcm")):
        name = told["names"].get(path.name)
        if not name:
            wrong["file not written"] += 1
            continue
        for action, what, is_right in judged(pydicom.dcmread(path), pydicom.dcmread(out / tool / name)):
            right += is_right
            by_action[action][not is_right] += 1
            if not is_right:
                wrong[f"{action}: {what}"] += 1
    every = right + sum(wrong.values())
    files = len(told["names"])
    pace = f"{told['seconds']:.1f} s for {files} files, {1000 * told['seconds'] / max(1, files):.2f} ms each"
    print(f"\n{tool}: {right} of {every} right, {100 * right / every:.3f} %; {pace}")
    print("  " + ", ".join(f"{action} {good}/{good + bad}" for action, (good, bad) in sorted(by_action.items())))
    for what, count in wrong.most_common(12):
        print(f"  {count} × {what}")


def judged(was: Dataset, now: Dataset) -> Iterator[tuple[str, str, bool]]:
    """Yield (action, attribute, whether it was done) for each planted attribute, level by level."""
    key = actions()
    for element in was:
        tag = int(element.tag)
        action = "X" if element.tag.is_private else key.get(tag, "keep")
        if (tag in _STRUCTURAL or tag in _SET_ANEW) and action == "keep":
            continue
        left = now.get(element.tag)
        yield action, f"{element.name} {element.tag}", done(action, element, left)
        if element.VR == "SQ" and action == "keep" and left is not None and len(left.value):
            for before, after in zip(element.value, left.value, strict=False):
                yield from judged(before, after)


def done(action: str, was: pydicom.DataElement, left: pydicom.DataElement | None) -> bool:
    """Return whether what is left of an attribute is what one of an action's letters asks for."""
    if action == "keep":
        return left is not None and (was.VR == "SQ" or left.value == was.value)
    if left is None:
        return "X" in action
    if left.is_empty or left.value in (b"", ""):
        return "Z" in action or (was.VR == "SQ" and was.is_empty)
    if was.VR == "SQ":
        return ("D" in action or "U" in action) and "CANARY" not in str(left.value)
    if action == "X":
        return False
    if action == "U":
        return left.VR == "UI" and str(left.value) != str(was.value)
    return left.value != was.value and "CANARY" not in str(left.value)


if __name__ == "__main__":
    main()
