"""Readers' answers from files: made ones value by value, real ones against what others read in them."""

import csv
import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter.case import WHOLE, Asked, Entry, Level, Schema
from isocenter.errors import InputError, LabelError, LayoutError
from isocenter.image import Affine, LabelTable, Mask, Volume, write_nifti
from isocenter.image.raster import read_raster
from isocenter.intake.issue import Issue
from isocenter.intake.labelling.coco import CocoDocument
from isocenter.intake.labelling.imports import importer_of, recognise
from isocenter.intake.labelling.said import Said, Wanted
from isocenter.intake.labelling.schema import read_schema

SHAPE = (4, 20, 24)
AFFINE = Affine.from_parts(origin=(-10, -20, -300), directions=np.eye(3)[::-1], spacing=(3, 0.7, 0.7))
VOLUME = Volume(voxels=np.zeros(SHAPE, dtype=np.int16), affine=AFFINE, modality="CT")
PICTURE = Volume(voxels=np.zeros((1, 20, 24), dtype=np.uint8), affine=AFFINE, is_planar=True, has_size=False)
SCHEMA = Schema(
    name="nodules",
    findings=(
        Asked(name=WHOLE, levels=(Level(name="quality", form="grades", words=("poor", "fair", "good")),)),
        Asked(name="nodule", levels=(
            Level(name="kind", form="classes", words=("solid", "part-solid")),
            Level(name="size", form="number", unit="mm", least=1, most=100),
        )),
    ),
)  # fmt: skip


def wanted(
    *cases: str, volume: Volume = VOLUME, schema: Schema | None = None, reader: str = "",
    table: LabelTable | None = None, pseudonym: Callable[[str], str] = lambda word: f"key{sum(word.encode())}",
    is_own: Callable[[str], bool] | None = None,
) -> Wanted:  # fmt: skip
    entries = {case: Entry(id=case, patient=case, volumes={"image": f"{case}-image".ljust(64, "0")}) for case in cases}
    return Wanted(
        entries=entries, image=lambda _: volume, table=table, schema=schema, reader=reader, pseudonym=pseudonym,
        is_own=is_own,
    )  # fmt: skip


def heard(path: Path, want: Wanted, form: str = "") -> tuple[list[Said], list[Issue], Schema | None]:
    found = importer_of(form or recognise(path))(path, want)
    every = list(found.said)
    return (
        [one for one in every if isinstance(one, Said)],
        [one for one in every if isinstance(one, Issue)],
        found.schema,
    )


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_table_says_findings_on_several_levels(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.csv", "case,reader,finding,kind,size,quality,certainty,minutes,blinded,box",
        "a,anna,Nodule,SOLID,12.5,good,0.9,2,yes,0 1 2 3 4 5", "a,ben,none,,,poor,,,no,", "a,carl,,,,,,,,",
    )  # fmt: skip
    said, issues, _ = heard(path, wanted("a", schema=SCHEMA))
    assert not issues
    anna, ben = (one.reading for one in said)  # carl said nothing
    assert anna.seen("nodule")[0].levels == {"kind": "solid", "size": 12.5}
    assert anna.seen("nodule")[0].box == ((0, 1, 2), (3, 4, 5))
    assert anna.seen(WHOLE)[0].levels == {"quality": "good"}
    assert (anna.certainty, anna.seconds, anna.blinded) == (0.9, 120.0, True)
    assert ben.asked == (WHOLE, "nodule")
    assert not ben.seen("nodule")
    assert ben.blinded is False


def test_an_empty_cell_is_no_answer_and_none_is_one(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "case,reader,finding,quality", "a,anna,,good", "b,anna,none,good")
    said, _, _ = heard(path, wanted("a", "b", schema=SCHEMA))
    assert [one.reading.asked for one in said] == [(WHOLE,), (WHOLE, "nodule")]


def test_without_a_schema_a_table_shows_one(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "case,reader,diagnosis,length", "a,r1,benign,3", "a,r2,malignant,4.5")
    _, _, schema = heard(path, wanted("a"))
    assert schema is not None
    assert not schema.is_stated
    assert schema.finding(WHOLE).level("diagnosis").words == ("benign", "malignant")
    assert schema.finding(WHOLE).level("length").form == "number"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,anna,nodule,solid,200", "size is 200"), ("a,anna,nodule,solid,big", "a number is wanted"),
        ("a,anna,nodule,sold,1", "Did you mean 'solid'"), ("a,anna,nodul,solid,1", "Did you mean 'nodule'"),
        ("b,anna,nodule,solid,1", "does not hold"), ("a,,nodule,solid,1", "--reader"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_named_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    path = table(tmp_path / "a.csv", "case,reader,finding,kind,size", line)
    said, issues, _ = heard(path, wanted("a", schema=SCHEMA))
    assert not said
    assert told in str(issues[0])
    assert "line 2" in issues[0].where


def test_a_column_of_names_does_not_come_in(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "case,reader,patient_name", "a,anna,Canary")
    with pytest.raises(LayoutError, match="bears identity"):
        heard(path, wanted("a"))


def test_a_column_that_nobody_asks_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "case,reader,qualty", "a,anna,good")
    with pytest.raises(LayoutError, match="Did you mean 'quality'"):
        heard(path, wanted("a", schema=SCHEMA))


def test_a_reader_of_several_words_gets_a_pseudonym(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "case,reader,quality", "a,Dr. Yellow Canary,good")
    said, _, _ = heard(path, wanted("a", schema=SCHEMA))
    assert "Canary" not in said[0].reading.reader


def test_masks_lie_in_folders_of_their_readers(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[1, 2:5, 3:9] = 2
    mask = Mask(labels=labels, affine=AFFINE, table=LabelTable.of("liver", "tumour"))
    for name in ("anna/a.nii.gz", "ben/a/mask.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True)
        write_nifti(mask, tmp_path / name)
    (tmp_path / "labels.json").write_text('{"liver": 1, "tumour": 2}')
    said, issues, _ = heard(tmp_path, wanted("a"))
    assert not issues
    assert [one.reading.reader for one in said] == ["anna", "ben"]
    assert all(one.mask is not None and np.array_equal(one.mask.labels, labels) for one in said)


def test_a_mask_of_another_version_of_the_image_is_refused(tmp_path: Path) -> None:
    moved = Affine(matrix=AFFINE.matrix + np.array([[0, 0, 0, 1]] * 3 + [[0] * 4]))
    for name, affine, shape in (("a", moved, SHAPE), ("b", AFFINE, (3, 20, 24))):
        mask = Mask(labels=np.zeros(shape, dtype=np.uint8), affine=affine, table=LabelTable.of("liver"))
        write_nifti(mask, tmp_path / f"{name}.nii.gz")
    said, issues, _ = heard(tmp_path, wanted("a", "b", reader="anna"))
    assert not said
    assert [one.check for one in issues] == ["grid", "grid"]


def test_black_and_white_is_the_one_structure(tmp_path: Path) -> None:
    Image.fromarray(np.pad(np.full((3, 4), 255, dtype=np.uint8), ((2, 15), (5, 15)))).save(tmp_path / "a.png")
    said, _, _ = heard(tmp_path, wanted("a", volume=PICTURE, reader="anna", table=LabelTable.of("cell")))
    assert said[0].mask is not None
    assert (said[0].mask.present, int(said[0].mask.labels.sum())) == ((1,), 12)


COCO = {
    "images": [{"id": 7, "file_name": "pictures/a.jpg", "height": 20, "width": 24}],
    "categories": [{"id": 3, "name": "RBC"}, {"id": 5, "name": "WBC"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [4, 2, 6, 3],
         "segmentation": [[4, 2, 10, 2, 10, 5, 4, 5]]},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0, 0, 1, 2],
         "segmentation": {"size": [20, 24], "counts": [0, 2, 478]}},
        {"id": 3, "image_id": 7, "category_id": 5, "bbox": [1, 1, 0, 5]},
    ],
}  # fmt: skip


def test_coco_gives_boxes_polygons_and_runs(tmp_path: Path) -> None:
    (tmp_path / "anna.json").write_text(json.dumps(COCO))
    said, issues, schema = heard(tmp_path / "anna.json", wanted("a", volume=PICTURE, reader="anna"))
    assert schema is not None
    assert all(one.several for one in schema.findings)
    mask = said[0].mask
    assert mask is not None
    expected = np.zeros((20, 24), dtype=int)
    expected[2:5, 4:10] = 1  # a rectangle of 6 columns and 3 rows
    expected[:2, 0] = 2  # two pixels down the first column
    assert np.array_equal(mask.labels[0], expected)
    assert [one.box for one in said[0].reading.observations] == [((0, 2, 4), (1, 5, 10)), ((0, 0, 0), (1, 2, 1))]
    assert [one.check for one in issues] == ["box"]  # the third has no extent


def test_coco_of_another_size_was_drawn_on_another_version(tmp_path: Path) -> None:
    other = COCO | {"images": [{"id": 7, "file_name": "a.jpg", "height": 40, "width": 48}]}
    (tmp_path / "c.json").write_text(json.dumps(other))
    _, issues, _ = heard(tmp_path / "c.json", wanted("a", volume=PICTURE, reader="anna"))
    assert "drawn on a picture of 40×48" in str(issues[0])


def test_what_is_written_as_coco_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "first.json").write_text(json.dumps(COCO))
    want = wanted("a", volume=PICTURE, reader="anna")
    said, _, _ = heard(tmp_path / "first.json", want)
    document = CocoDocument(["RBC", "WBC"])
    document.add("a", shape=(1, 20, 24), reading=None, mask=said[0].mask)
    (tmp_path / "second.json").write_text(json.dumps(document.to_document()))
    again, _, _ = heard(tmp_path / "second.json", want)
    assert said[0].mask is not None
    assert again[0].mask is not None
    assert np.array_equal(again[0].mask.labels, said[0].mask.labels)
    assert again[0].reading.observations == said[0].reading.observations


def test_real_voc_files_name_the_boxes_without_extent(shared_data: Path) -> None:
    folder = shared_data / "bccd"
    cases = [path.stem for path in sorted((folder / "JPEGImages").glob("*.jpg"))]
    want = wanted(*cases, volume=read_raster(folder / "JPEGImages" / f"{cases[0]}.jpg"), reader="shenggan")
    said, issues, schema = heard(folder / "Annotations", want)
    assert schema is not None
    assert {one.name for one in schema.findings} == {"Platelets", "RBC", "WBC"}
    assert len([one for one in issues if one.check == "box"]) == 2
    first = next(one for one in said if one.case == "BloodImage_00000").reading.seen("WBC")[0]
    # in the file xmin 260, ymin 177, xmax 491, ymax 376, both ends included and counted from 1
    assert first.box == ((0, 176, 259), (1, 376, 491))


LIDC = """<?xml version="1.0" encoding="UTF-8"?>
<LidcReadMessage xmlns="http://www.nih.gov"><ResponseHeader><SeriesInstanceUid>1.2.3</SeriesInstanceUid>
<StudyInstanceUID>1.2</StudyInstanceUID></ResponseHeader>{sessions}</LidcReadMessage>"""
SESSION = "<readingSession>{nodules}</readingSession>"
RATED = (
    "<characteristics><subtlety>5</subtlety><calcification>6</calcification><malignancy>3</malignancy>"
    "</characteristics>"
)
EDGE = "<edgeMap><xCoord>{1}</xCoord><yCoord>{0}</yCoord></edgeMap>"


def roi(z_mm: float, points: list[tuple[int, int]], inclusion: str = "TRUE") -> str:
    edges = "".join(EDGE.format(*point) for point in points)
    return f"<roi><imageZposition>{z_mm}</imageZposition><inclusion>{inclusion}</inclusion>{edges}</roi>"


def square(low: int, high: int) -> list[tuple[int, int]]:
    """Return every pixel of the edge of a square, corners included, around it."""
    there = range(low, high + 1)
    top, right = [(low, c) for c in there], [(r, high) for r in there[1:]]
    return top + right + [(high, c) for c in reversed(there[:-1])] + [(r, low) for r in reversed(there[1:-1])]


def nodule(inner: str) -> str:
    return f"<unblindedReadNodule><noduleID>1</noduleID>{inner}</unblindedReadNodule>"


def test_lidc_contours_run_around_the_nodule(tmp_path: Path) -> None:
    big = nodule(RATED + roi(-300, square(4, 10)) + roi(-297, square(4, 10)) + roi(-297, square(6, 8), "FALSE"))
    small = nodule(roi(-291, [(15, 16)]))
    sessions = SESSION.format(nodules=big + small) + SESSION.format(nodules="")
    (tmp_path / "069.xml").write_text(LIDC.format(sessions=sessions))
    want = wanted("case", pseudonym=lambda word: "case" if word == "1.2.3" else word)
    said, issues, _ = heard(tmp_path, want)
    assert not issues
    assert [one.reading.reader for one in said] == ["reader-1", "reader-2"]
    first, second = (one.reading for one in said)
    assert first.blinded is False
    assert first.seen("nodule")[0].box == ((0, 5, 5), (2, 10, 10))
    assert first.seen("nodule")[0].levels == {"subtlety": "5", "calcification": "6", "malignancy": "3"}
    assert first.seen("small nodule")[0].box == ((3, 15, 16), (4, 16, 17))
    assert not second.observations
    mask = said[0].mask
    assert mask is not None
    expected = np.zeros(SHAPE, dtype=int)
    expected[:2, 5:10, 5:10] = 1
    expected[1, 7, 7] = 0  # the hole, whose edge belongs to the nodule
    assert np.array_equal(mask.labels, expected)


def test_lidc_boxes_are_those_of_pylidc(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "lidc_readers"
    with gzip.open(folder / "contours_first150patients.csv.gz", "rt") as file:
        contours = [row for row, _ in zip(csv.DictReader(file), range(60), strict=False)]
    with (folder / "annotations.csv").open() as file:
        pylidc = {row["id"]: row for row in csv.DictReader(file)}
    by_nodule: dict[str, list[Mapping[str, str]]] = {}
    for row in contours[:-20]:
        by_nodule.setdefault(row["annotation_id"], []).append(row)
    checked = 0
    for number, rows in by_nodule.items():
        told = pylidc[number]
        if len(rows) != int(told["n_slices"]):
            continue
        places = sorted(float(row["image_z_position"]) for row in rows)
        step = min(np.diff(places))
        grid = Affine.from_parts(origin=(0, 0, places[0]), directions=np.eye(3)[::-1], spacing=(step, 1, 1))
        volume = Volume(voxels=np.zeros((len(places) + 2, 512, 512), dtype=np.uint8), affine=grid)
        rings = "".join(
            roi(float(row["image_z_position"]), [tuple(map(int, one.split(","))) for one in row["coords"].split()])
            for row in rows
            if row["inclusion"] == "1"
        )  # type: ignore[misc]
        xml = LIDC.format(sessions=SESSION.format(nodules=nodule(RATED + rings)))
        (tmp_path / "one.xml").write_text(xml)
        want = wanted("one", volume=volume)
        box = heard(tmp_path / "one.xml", want)[0][0].reading.seen("nodule")[0].box
        # pylidc's corners lie on the contour, which runs one pixel outside the nodule
        assert box is not None
        assert box[0][1:] == (int(told["r_min"]) + 1, int(told["c_min"]) + 1)
        assert box[1][1:] == (int(told["r_max"]), int(told["c_max"]))
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><annotation/>", "declares a document type"),
        ("<annotation>", "is no XML"), ("<other/>", "is no VOC annotation"),
    ],
)  # fmt: skip
def test_xml_that_is_none_or_dangerous_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(InputError, match=told):
        heard(tmp_path, wanted("a"), "voc")


def test_a_real_report_says_its_measurements(shared_data: Path) -> None:
    path = shared_data / "highdicom_files/data/test_files/sr_document_with_multiple_groups.dcm"
    want = wanted("sr_document_with_multiple_groups")
    said, issues, schema = heard(path, want, "sr")
    assert not issues
    assert schema is not None
    reading = said[0].reading
    (nodule_seen,) = reading.seen("nodule")
    # what dcmdump shows: Finding Site Lung, Diameter 10 mm
    assert nodule_seen.levels == {
        "place": "lung", "diameter": 10.0, "level of significance": "not significant",
        "finding category": "morphologically abnormal structure",
    }  # fmt: skip
    assert schema.finding("nodule").level("diameter").unit == "mm"
    assert "Doe" not in reading.reader
    assert reading.reader.startswith("reader-")


def test_an_object_made_on_other_images_is_refused(shared_data: Path) -> None:
    path = shared_data / "highdicom_files/data/test_files/seg_image_ct_binary.dcm"
    _, issues, _ = heard(path, wanted("seg_image_ct_binary", is_own=lambda uid: False))
    assert [one.check for one in issues] == ["version of the image"]


SCHEMA_TOML = """
name = "nodules"
[case.quality]
grades = ["poor", "fair", "good"]
[findings.nodule.kind]
classes = ["solid", "part-solid"]
[findings.nodule.size]
unit = "mm"
least = 1
most = 100
"""


def test_a_schema_is_read_from_toml(tmp_path: Path) -> None:
    assert read_schema(table(tmp_path / "s.toml", SCHEMA_TOML)) == SCHEMA


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[finding.nodule]", "Did you mean 'findings'"),
        ("[findings.nodule.kind]\nclass = ['a', 'b']", "Did you mean 'classes'"),
        ("[findings.nodule.kind]\nclasses = 'a'", "a list of words"), ("name = 'empty'", "asks nothing"),
        ("[findings.nodule.kind]\nclasses = ['a', 'a']", "each once"), ("[findings.a.b]\nleast = 'x'", "are numbers"),
        ("[case.kind]\nclasses=['a','b']\n[findings.n.kind]\nclasses=['a','b']", "name one otherwise"),
        ("name = ", "no TOML"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LabelError, match=told):
        read_schema(table(tmp_path / "s.toml", text))
