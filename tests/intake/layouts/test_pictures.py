"""Pictures with a table beside them, or in class folders: what becomes a case, what is told, what is left out."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from isocenter.case import Case, Fact
from isocenter.errors import LabelError, LayoutError
from isocenter.image import Affine, Volume, write_nifti
from isocenter.image.raster import picture_affine
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder, recognise
from isocenter.intake.layouts.found import Found

HEADER = "path,label,patient\n"
Array = npt.NDArray[np.generic]


def picture(path: Path, *, seed: int = 0, array: Array | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = np.random.default_rng(seed).integers(0, 255, (8, 9), dtype=np.uint8) if array is None else array
    Image.fromarray(made).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four pictures and a table of them."""
    for number in range(4):
        picture(tmp_path / "set" / "images" / f"{number}.png", seed=number)
    lines = [f"images/{number}.png,{'sick' if number % 2 else 'well'},P{number // 2}" for number in range(4)]
    (tmp_path / "set" / "labels.csv").write_text(HEADER + "\n".join(lines), encoding="utf-8")
    return tmp_path / "set"


def rewrite(folder: Path, *lines: str, encoding: str = "utf-8") -> None:
    (folder / "labels.csv").write_bytes("\n".join(lines).encode(encoding))


def found_in(folder: Path, **more: object) -> Found:
    return read_folder(folder, pseudonym=lambda word: f"p-{word}", **more)  # type: ignore[arg-type]


def cases(found: Found) -> dict[str, Case]:
    return {one.case.id: one.case for one in found.read() if not isinstance(one, Issue)}


def stops(found: Found) -> list[Issue]:
    return [
        *(one for one in found.issues if one.severity == "stop"),
        *(o for o in found.read() if isinstance(o, Issue)),
    ]


def test_a_table_of_paths_makes_a_folder_one_of_pictures(folder: Path) -> None:
    taken = recognise(folder)
    assert taken.name == "pictures"
    assert "labels.csv" in taken.why


def test_each_line_becomes_a_case_with_its_patient_and_facts(folder: Path) -> None:
    found = found_in(folder)
    assert not found.issues
    case = cases(found)["3"]
    assert (case.id, case.patient, dict(case.facts)) == ("3", "p-P1", {"label": Fact(value="sick")})
    assert case.volumes["image"].is_planar
    assert not case.volumes["image"].has_size


@pytest.mark.parametrize("name", ["file", "filename", "image", "image id", "Image_ID", "文件名"])
def test_the_column_of_paths_has_several_names(name: str, folder: Path) -> None:
    rewrite(folder, f"{name},label", "images/0.png,a", "images/1.png,b")
    assert set(cases(found_in(folder))) == {"0", "1"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_are_read_however_a_spreadsheet_saves_them(mark: str, encoding: str, folder: Path) -> None:
    rewrite(folder, mark.join(("path", "label")), mark.join(("images/0.png", "肺炎")), encoding=encoding)
    assert cases(found_in(folder))["0"].facts["label"].value == "肺炎"


def test_foreign_names_of_columns_are_mapped(folder: Path) -> None:
    rewrite(folder, "slide,group,finding", "images/0.png,7,yes", "images/1.png,8,no")
    case = cases(found_in(folder, columns=("path=slide,patient=group", "label=finding")))["0"]
    assert case.patient == "p-7"
    assert set(case.facts) == {"label"}


@pytest.mark.parametrize(
    ("columns", "told"),
    [(("patient=nobody",), "no such column"), (("patient",), "OURS=THEIRS"), (("a=label", "a=path"), "twice")],
)
def test_a_mapping_that_cannot_be_is_told(columns: tuple[str, ...], told: str, folder: Path) -> None:
    with pytest.raises(LayoutError, match=told):
        found_in(folder, columns=columns)


def test_columns_are_refused_where_the_layout_has_no_table(msd: Path) -> None:
    with pytest.raises(LayoutError, match="leave --columns out"):
        found_in(msd, as_="msd", columns=("patient=a",))


def test_numbers_words_units_and_gaps_become_facts(folder: Path) -> None:
    rewrite(
        folder, "path;age [years];crp [mg/L];view;site", "images/0.png;61;<5;AP;", "images/1.png;;7,5;PA;north",
        "images/2.png;60;8;AP;north",
    )  # fmt: skip
    found = found_in(folder)
    facts = {id_: case.facts for id_, case in cases(found).items()}
    assert facts["0"] == {
        "age": Fact(value=61.0, unit="years"), "crp": Fact(value=5.0, unit="mg/L"), "view": Fact(value="AP"),
        "site": Fact(value=None),
    }  # fmt: skip
    assert facts["1"]["age"] == Fact(value=None, unit="years")
    assert facts["1"]["crp"].value == 7.5
    assert any("1 values are bounds" in str(issue) for issue in found.issues)


def test_words_that_name_one_line_each_and_dates_are_left_out(folder: Path) -> None:
    for number in range(30):
        picture(folder / "images" / f"{number}.png", seed=number)
    lines = [f"images/{n}.png,report {n},2024-01-{n % 9 + 1:02d},{'ab'[n % 2]}" for n in range(30)]
    rewrite(folder, "path,report,seen,kind", *lines)
    found = found_in(folder)
    assert set(cases(found)["0"].facts) == {"kind"}
    assert {issue.where for issue in found.issues if issue.check == "facts"} == {
        "labels.csv: report", "labels.csv: seen",
    }  # fmt: skip


def test_a_single_date_leaves_a_column_out_and_so_do_days_written_as_numbers(folder: Path) -> None:
    rewrite(folder, "path,seen,came", "images/0.png,2024-03-01,20240301", "images/1.png,unknown,20240302")
    found = found_in(folder)
    assert [case.facts for case in cases(found).values()] == [{}, {}]
    assert sum("dates tell who" in str(issue) for issue in found.issues) == 2


def test_thousands_are_not_taken_for_decimals(folder: Path) -> None:
    rewrite(folder, "path,platelets,site", 'images/0.png,"1,234",1_2', 'images/1.png,"850",3_4')
    found = found_in(folder)
    assert cases(found)["0"].facts == {"site": Fact(value="1_2")}
    assert any("thousands" in str(issue) for issue in found.issues)
    rewrite(folder, "path;platelets", "images/0.png;1,234", "images/1.png;850")
    assert cases(found_in(folder))["0"].facts["platelets"].value == 1.234


def test_cells_that_say_nothing_is_known_name_no_patient_no_mask_and_no_side(folder: Path) -> None:
    picture(folder / "masks" / "0.png", array=np.eye(8, 9, dtype=np.uint8))
    lines = ["images/0.png,NA,NA,NA,NA,masks/0.png", "images/1.png,nan,nan,n/a,null,NA"]
    rewrite(folder, "path,patient,split,day,pixel_mm,mask", *lines)
    found = found_in(folder)
    assert not stops(found)
    assert [case.patient for case in cases(found).values()] == ["0", "1"]
    assert found.sides == {}
    assert [len(case.annotations) for case in cases(found).values()] == [1, 0]


def test_a_cell_too_long_for_a_name_is_a_file_that_is_not_there(folder: Path) -> None:
    rewrite(folder, "path,patient", "images/0.png,A", f"{'x' * 400},B")
    assert [issue.check for issue in stops(found_in(folder))] == ["file"]


def test_days_and_dates_in_one_column_are_refused(folder: Path) -> None:
    rewrite(folder, "path,patient,day", "images/0.png,A,2024-03-01", "images/1.png,A,5")
    with pytest.raises(LayoutError, match=r"line 3: a number of days among dates"):
        found_in(folder)


def test_one_fact_in_two_columns_is_refused(folder: Path) -> None:
    rewrite(folder, "path,crp,crp [mg/L]", "images/0.png,1,2")
    with pytest.raises(LayoutError, match="Two columns hold the fact 'crp'"):
        found_in(folder, as_="pictures")


def test_a_label_volume_that_lies_elsewhere_than_its_stack_is_told(folder: Path) -> None:
    seed = np.random.default_rng(0)
    stack = Volume(voxels=seed.integers(0, 9, (4, 5, 6)), affine=picture_affine(row_mm=2.0))
    labels = replace(stack, voxels=(stack.voxels > 4).astype(np.uint8))
    write_nifti(stack, folder / "images" / "y.nii.gz")
    write_nifti(labels, folder / "masks.nii.gz")
    rewrite(folder, "path,mask,patient", "images/y.nii.gz,masks.nii.gz,A")
    assert not stops(found_in(folder))
    turned = picture_affine(row_mm=2.0).matrix.copy()
    turned[:3, 2] *= -1
    write_nifti(replace(labels, affine=Affine(matrix=turned)), folder / "masks.nii.gz")
    assert [(issue.check, "lies elsewhere" in issue.figure) for issue in stops(found_in(folder))] == [("grid", True)]


@pytest.mark.parametrize("name", ["patient name", "PatientName", "birth_date", "电话", "MRN"])
def test_a_column_that_bears_identity_is_refused(name: str, folder: Path) -> None:
    rewrite(folder, f"path,{name}", "images/0.png,Canary")
    with pytest.raises(LayoutError, match="bears identity") as told:
        found_in(folder, as_="pictures")
    assert "Canary" not in str(told.value)


def test_the_name_of_a_class_is_no_identity(folder: Path) -> None:
    rewrite(folder, "path,class name", "images/0.png,a")
    assert cases(found_in(folder))["0"].facts["class name"].value == "a"


def test_days_count_from_the_first_and_no_date_comes_in(folder: Path) -> None:
    rewrite(
        folder,
        "path,patient,date",
        "images/0.png,A,2024-02-28",
        "images/1.png,A,2024-03-01",
        "images/2.png,B,2020-01-01",
    )
    assert {id_: case.day for id_, case in cases(found_in(folder)).items()} == {"0": 0, "1": 2, "2": 0}


def test_sides_and_pixels_are_taken_as_said(folder: Path) -> None:
    rewrite(
        folder, "path,split,pixel_mm", "images/0.png,test,0.2", "images/1.png,Training,0.3x0.1", "images/2.png,val,"
    )
    found = found_in(folder)
    assert found.sides == {"0": "test", "1": "train", "2": "validation"}
    spacing = {id_: case.volumes["image"].spacing[1:] for id_, case in cases(found).items()}
    assert spacing["0"] == (0.2, 0.2)
    assert spacing["1"] == (0.3, 0.1)
    assert np.isnan(spacing["2"]).all()


@pytest.mark.parametrize(
    ("header", "cell"), [("split", "later"), ("day", "soon"), ("pixel_mm", "-1"), ("pixel_mm", "small")]
)
def test_a_cell_that_cannot_be_is_told_with_its_line(header: str, cell: str, folder: Path) -> None:
    rewrite(folder, f"path,{header}", f"images/0.png,{cell}")
    with pytest.raises(LayoutError, match=r"labels\.csv, line 2"):
        found_in(folder)


def test_a_patient_on_both_sides_is_told(folder: Path) -> None:
    rewrite(folder, "path,patient,split", "images/0.png,A,test", "images/1.png,A,train", "images/2.png,B,train")
    assert [issue.check for issue in found_in(folder).issues] == ["one patient"]


def test_pictures_of_nobody_count_as_patients_of_their_own_and_that_is_said(folder: Path) -> None:
    rewrite(folder, "path,label", "images/0.png,a", "images/1.png,b")
    found = found_in(folder)
    assert {case.patient for case in cases(found).values()} == {"0", "1"}
    assert [(issue.check, issue.severity) for issue in found.issues] == [("patients", "warn")]


def test_a_damaged_and_a_missing_picture_are_told_and_the_rest_is_read(folder: Path) -> None:
    (folder / "images" / "1.png").write_bytes((folder / "images" / "1.png").read_bytes()[:40])
    (folder / "images" / "2.png").unlink()
    found = found_in(folder)
    told = {issue.where: issue.figure for issue in stops(found)}
    assert set(told) == {"images/1.png", "images/2.png"}
    assert "no such file" in told["images/2.png"]
    assert set(cases(found)) == {"0", "3"}


@pytest.mark.parametrize("path", ["../outside.png", "/etc/hostname", "images/../../outside.png", "C:\\a.png"])
def test_a_path_that_leads_out_stops(path: str, folder: Path) -> None:
    picture(folder.parent / "outside.png")
    rewrite(folder, "path,patient", "images/0.png,A", f"{path},B")
    assert any("leads out of the folder" in issue.figure for issue in found_in(folder).issues)


def test_an_absolute_path_into_the_folder_is_taken(folder: Path) -> None:
    rewrite(folder, "path,patient", f"{folder / 'images' / '0.png'},A", "images\\1.png,B")
    assert set(cases(found_in(folder))) == {"0", "1"}


@pytest.mark.parametrize(("label", "severity"), [("well", "warn"), ("sick", "stop")])
def test_a_file_named_twice_stops_where_the_lines_disagree(label: str, severity: str, folder: Path) -> None:
    rewrite(folder, "path,label,patient", "images/0.png,well,A", f"images/0.png,{label},A", "images/1.png,sick,B")
    found = found_in(folder)
    assert [(issue.check, issue.severity) for issue in found.issues] == [("listing", severity)]
    assert len(found) == 2


def test_a_case_of_two_lines_stops(folder: Path) -> None:
    rewrite(folder, "path,case,patient", "images/0.png,A,A", "images/1.png,A,A")
    assert [issue.check for issue in stops(found_in(folder))] == ["listing"]


def test_ids_stay_apart_where_names_repeat(folder: Path) -> None:
    picture(folder / "a" / "x.png")
    picture(folder / "b" / "x y.png", seed=1)
    picture(folder / "b" / "x-y.png", seed=2)
    rewrite(folder, "path,patient", "a/x.png,A", "b/x y.png,B", "b/x-y.png,C")
    assert set(cases(found_in(folder))) == {"a_x", "b_x-y", "b_x-y-2"}


def test_a_name_alone_is_looked_up_in_the_folders(folder: Path) -> None:
    rewrite(folder, "image id,patient", "0,A", "1.png,B")
    assert set(cases(found_in(folder))) == {"0", "1"}


def test_several_roles_and_readers_make_one_case(folder: Path) -> None:
    outline = np.zeros((8, 9), np.uint8)
    outline[2:4, 2:4] = 255
    picture(folder / "masks" / "a.png", array=outline)
    picture(folder / "masks" / "b.png", array=np.roll(outline, 1, axis=0))
    rewrite(folder, "path,path_late,mask_ann,mask_bob,patient", "images/0.png,images/1.png,masks/a.png,masks/b.png,A")
    case = cases(found_in(folder))["0"]
    assert list(case.volumes) == ["image", "late"]
    assert [one.reader for one in case.annotations] == ["ann", "bob"]
    assert [label.name for label in case.annotations[0].mask.table] == ["label 1"]


def with_mask(folder: Path, array: Array, **labels: object) -> Found:
    picture(folder / "masks" / "0.png", array=array)
    rewrite(folder, "path,mask,patient", "images/0.png,masks/0.png,A")
    if labels:
        (folder / "labels.json").write_text(json.dumps(labels))
    return found_in(folder)


def test_values_of_masks_get_names_by_labels_json_or_by_themselves(folder: Path) -> None:
    array = np.zeros((8, 9), np.uint8)
    array[0, 0], array[1, 1] = 128, 255
    assert [label.name for label in with_mask(folder, array).table or ()] == ["label 128", "label 255"]
    named = with_mask(folder, array, nucleus=255, cytoplasm=128)
    assert cases(named)["0"].annotations[0].mask.binary("nucleus")[0, 1, 1]


def test_black_and_white_is_the_one_structure_that_labels_json_names(folder: Path) -> None:
    array = np.zeros((8, 9), np.uint8)
    array[1, 1] = 255
    assert cases(with_mask(folder, array, lesion=1))["0"].annotations[0].mask.present == (1,)


def test_numbers_of_single_objects_want_a_word(folder: Path) -> None:
    array = np.arange(72, dtype=np.uint16).reshape(8, 9) * 5
    with pytest.raises(LabelError, match="number single objects"):
        with_mask(folder, array)
    mask = cases(with_mask(folder, array, nucleus="any"))["0"].annotations[0].mask
    assert int(mask.binary("nucleus").sum()) == 71


def test_a_mask_of_another_size_is_told(folder: Path) -> None:
    found = with_mask(folder, np.full((4, 4), 255, np.uint8))
    assert [issue.check for issue in stops(found)] == ["grid"]


def test_a_value_outside_labels_json_is_told(folder: Path) -> None:
    array = np.zeros((8, 9), np.uint8)
    array[1, 1] = 7
    assert [issue.check for issue in stops(with_mask(folder, array, lesion=1))] == ["label values"]


def test_terms_come_from_dataset_json(folder: Path) -> None:
    (folder / "dataset.json").write_text(json.dumps({"name": "Ours", "license": "CC0-1.0", "reference": "A paper"}))
    source = found_in(folder).source
    assert (source.name, source.licence, source.origin) == ("Ours", "CC0-1.0", "A paper")


def test_two_tables_of_pictures_are_told(folder: Path) -> None:
    (folder / "more.csv").write_text("file,label\nimages/3.png,a", encoding="utf-8")
    with pytest.raises(LayoutError, match=r"labels\.csv, more\.csv"):
        recognise(folder)


def test_a_table_without_paths_is_told_what_it_lacks(folder: Path) -> None:
    rewrite(folder, "label,patient", "a,A")
    with pytest.raises(LayoutError, match=r"no column of paths.*--columns path=THEIRS"):
        found_in(folder, as_="pictures")


def test_class_folders_are_labels_and_sides(tmp_path: Path) -> None:
    for number, name in enumerate(("train/NORMAL/a.jpeg", "train/SICK/b.jpeg", "val/SICK/c.jpeg", "test/SICK/a.jpeg")):
        picture(tmp_path / "xray" / name, seed=number)
    (tmp_path / "xray" / "README.md").write_text("notes")
    found = found_in(tmp_path / "xray")
    assert found.sides == {
        "train_NORMAL_a": "train", "train_SICK_b": "train", "val_SICK_c": "validation", "test_SICK_a": "test",
    }  # fmt: skip
    labels = {id_: case.facts["label"].value for id_, case in cases(found).items()}
    assert labels == {"train_NORMAL_a": "NORMAL", "train_SICK_b": "SICK", "val_SICK_c": "SICK", "test_SICK_a": "SICK"}


def test_folders_inside_a_class_are_patients(tmp_path: Path) -> None:
    for number, name in enumerate(("a/1/x.png", "a/1/y.png", "b/2/x.png")):
        picture(tmp_path / "set" / name, seed=number)
    assert sorted(case.patient for case in cases(found_in(tmp_path / "set")).values()) == ["p-a/1", "p-a/1", "p-b/2"]


def test_label_images_beside_pictures_are_joined_and_never_a_class(tmp_path: Path) -> None:
    one, other = np.zeros((8, 9), np.uint8), np.zeros((8, 9), np.uint8)
    one[1, 1] = other[2, 2] = 255
    for number, kind in enumerate(("benign", "normal")):
        picture(tmp_path / "set" / kind / f"{kind} (1).png", seed=number)
        picture(tmp_path / "set" / kind / f"{kind} (1)_mask.png", array=one)
    picture(tmp_path / "set" / "benign" / "benign (1)_mask_1.png", array=other)
    found = cases(found_in(tmp_path / "set"))
    assert [case.facts["label"].value for case in found.values()] == ["benign", "normal"]
    assert [int(case.annotations[0].mask.labels.sum()) for case in found.values()] == [2, 1]


def test_folders_of_images_and_masks_are_pairs(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "set" / "images" / f"{number}.png", seed=number)
        picture(tmp_path / "set" / "masks" / f"{number}.png", array=np.eye(8, 9, dtype=np.uint8) * 255)
    found = found_in(tmp_path / "set")
    assert {id_: (len(case.annotations), dict(case.facts)) for id_, case in cases(found).items()} == {
        str(number): (1, {}) for number in range(3)
    }


def test_pictures_without_a_class_or_a_table_are_no_layout(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.png")
    with pytest.raises(LayoutError, match="a table with a column of paths"):
        recognise(tmp_path / "set")
    with pytest.raises(LayoutError, match=r"Put a labels\.csv"):
        found_in(tmp_path / "set", as_="pictures")


def test_a_table_may_name_radiographs_in_dicom_and_volumes_in_nifti(folder: Path) -> None:
    radiograph(folder / "images" / "x.dcm")
    stack = Volume(voxels=np.random.default_rng(0).integers(0, 9, (4, 5, 6)), affine=picture_affine(row_mm=2.0))
    write_nifti(stack, folder / "images" / "y.nii.gz")
    rewrite(folder, "path,label,patient", "images/x.dcm,a,A", "images/y.nii.gz,b,B")
    assert recognise(folder).name == "pictures"
    found = cases(found_in(folder))
    assert found["x"].volumes["image"].modality == "DX"
    assert found["x"].volumes["image"].spacing[1:] == (0.2, 0.2)
    assert found["y"].volumes["image"].shape == (4, 5, 6)
    assert "Canary" not in repr(found["x"])


def radiograph(path: Path) -> None:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = generate_uid(), generate_uid(), "DX"
    made.PatientName, made.PatientID, made.ImagerPixelSpacing = "Canary^Yellow", "Canary", [0.2, 0.2]
    made.Rows, made.Columns, made.SamplesPerPixel, made.PhotometricInterpretation = 6, 8, 1, "MONOCHROME1"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = np.arange(48, dtype="<u2").tobytes()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as(path, enforce_file_format=True)


REAL: dict[str, tuple[tuple[str, ...], int, Callable[[Case], bool]]] = {
    "cxr_kermany": (("label=pneumonia",), 1203, lambda case: case.facts["label"].value in (0.0, 1.0)),
    "busi": (("patient=near_dup_group",), 345, lambda case: case.facts["label"].value != ""),
    "cxr_nih": ((), 480, lambda case: case.patient != case.id),
    "cxr_hannover": ((), 138, lambda case: case.facts["sex"].value in ("m", "f")),
    "mednist_64": ((), 1680, lambda case: case.volumes["image"].shape == (1, 64, 64)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_sets_are_read_whole(name: str, shared_data: Path) -> None:
    columns, count, holds = REAL[name]
    found = found_in(shared_data / name, columns=columns)
    read = cases(found)
    assert len(read) == len(found) == count
    assert all(holds(case) for case in read.values())


def test_a_table_that_names_no_file_is_told_where_folders_say_the_classes(tmp_path: Path) -> None:
    for number, name in enumerate(("a/1.png", "b/2.png")):
        picture(tmp_path / "set" / name, seed=number)
    (tmp_path / "set" / "labels.csv").write_text("image id,stage\n901,early\n902,late", encoding="utf-8")
    for as_ in (None, "pictures"):
        found = found_in(tmp_path / "set", as_=as_)
        assert [case.facts["label"].value for case in cases(found).values()] == ["a", "b"]
        assert [issue.where for issue in found.issues if issue.check == "layout"] == ["labels.csv"]


def test_a_table_of_one_endless_line_is_no_table(folder: Path) -> None:
    (folder / "other.csv").write_text("x" * 200_000)
    assert recognise(folder).name == "pictures"


def test_a_stack_longer_than_memory_is_told_and_the_rest_is_read(folder: Path) -> None:
    stack = Volume(voxels=np.zeros((4, 5, 6), np.uint8), affine=picture_affine())
    write_nifti(stack, folder / "y.nii.gz")
    header = bytearray(gzip.decompress((folder / "y.nii.gz").read_bytes()))
    header[42:48] = np.array([32767] * 3, "<i2").tobytes()  # 35 TB
    (folder / "y.nii.gz").write_bytes(gzip.compress(bytes(header)))
    rewrite(folder, "path,label,patient", "images/0.png,a,A", "y.nii.gz,b,B")
    found = found_in(folder)
    assert [(issue.where, "more memory than there is" in issue.figure) for issue in stops(found)] == [
        ("y.nii.gz", True)
    ]
    assert set(cases(found)) == {"images_0"}


def test_a_table_that_is_not_used_is_told_with_the_reason(tmp_path: Path) -> None:
    for number, name in enumerate(("a/1.png", "b/2.png")):
        picture(tmp_path / "set" / name, seed=number)
    (tmp_path / "set" / "labels.csv").write_text("path,patient name\na/1.png,Canary", encoding="utf-8")
    [told] = [str(issue) for issue in found_in(tmp_path / "set").issues if issue.check == "layout"]
    assert "bears identity" in told
    assert "Canary" not in told
