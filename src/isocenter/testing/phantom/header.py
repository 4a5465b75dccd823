"""What stands in a written file beside its pixels."""

from dataclasses import dataclass

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The patient, study and series that a phantom pretends to be. Every name here is made up.

    Args:
        name: DICOM person name; component groups by "=", such as "Canary^Yellow=金丝雀".
        patient: Patient ID.
        sex: "M", "F", "O" or empty.
        age: Such as "042Y".
        born: Birth date, YYYYMMDD or empty.
        study: Names the study: the same text gives the same study UID.
        number: Of the series; with `study` it gives the series UID.
        description: Of the series.
        day: Study date, YYYYMMDD.
        charset: Specific Character Set, such as "GB18030", "ISO_IR 192".
        manufacturer, model: Of the scanner.
    """

    name: str = "Phantom^Body"
    patient: str = "PHANTOM-1"
    sex: str = "O"
    age: str = "042Y"
    born: str = ""
    study: str = "study"
    number: int = 1
    description: str = "phantom"
    day: str = "20260101"
    charset: str = "ISO_IR 192"
    manufacturer: str = "isocenter"
    model: str = "phantom"

    def uid(self, *parts: object) -> UID:
        """Return a UID that depends on the patient, the study and the parts alone."""
        return generate_uid(entropy_srcs=["isocenter phantom", self.patient, self.study, *map(str, parts)])


def begin(header: Header, *, sop_class: UID, modality: str, instance: object) -> FileDataset:
    """Return a file with its patient, study, series, frame of reference and equipment filled in."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = header.uid("instance", header.number, instance)
    made = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    made.SpecificCharacterSet = header.charset
    made.SOPClassUID, made.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    made.StudyDate = made.SeriesDate = made.AcquisitionDate = made.ContentDate = header.day
    made.StudyTime = made.SeriesTime = made.AcquisitionTime = made.ContentTime = "101500"
    made.AccessionNumber = made.ReferringPhysicianName = made.Laterality = made.PatientPosition = ""
    made.Modality, made.StudyID, made.SeriesNumber = modality, "1", header.number
    made.Manufacturer, made.ManufacturerModelName = header.manufacturer, header.model
    made.DeviceSerialNumber, made.SoftwareVersions = "1", "1"
    made.StudyDescription, made.SeriesDescription = header.study, header.description
    made.PatientName, made.PatientID = header.name, header.patient
    made.PatientSex, made.PatientAge, made.PatientBirthDate = header.sex, header.age, header.born
    made.StudyInstanceUID = header.uid("study")
    made.SeriesInstanceUID = header.uid("series", header.number)
    made.FrameOfReferenceUID = header.uid("frame of reference")
    made.PositionReferenceIndicator = ""
    return made
