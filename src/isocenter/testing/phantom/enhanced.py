"""A volume as one enhanced (multi-frame) CT or MR file."""

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage

from isocenter.dicom.export import cosines, decimals, fill_pixels
from isocenter.image import Volume
from isocenter.testing.phantom.header import Header, begin
from isocenter.testing.phantom.series import HU_OFFSET, stored_values, thickness


def write_enhanced(volume: Volume, path: Path, *, header: Header | None = None) -> Path:
    """Write a CT or MR volume of whole numbers as one multi-frame file, one frame a slice (PS3.3 A.36, A.38).

    What a reader needs for pixels and geometry is there; how the scanner was set is not.

    Raises:
        InputError: Neither CT nor MR, colour, or fractions.
    """
    header = header or Header()
    is_ct = volume.modality == "CT"
    sop_class = EnhancedCTImageStorage if is_ct else EnhancedMRImageStorage
    made = begin(header, sop_class=sop_class, modality=volume.modality, instance="enhanced")
    made.InstanceNumber = 1
    made.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    made.PixelPresentation, made.VolumetricProperties, made.VolumeBasedCalculationTechnique = (
        "MONOCHROME",
        "VOLUME",
        "NONE",
    )
    made.AcquisitionDateTime, made.AcquisitionDuration = f"{header.day}101500", 1.0
    made.ContentQualification, made.BurnedInAnnotation, made.LossyImageCompression = "RESEARCH", "NO", "00"
    made.PresentationLUTShape = "IDENTITY"
    fill_pixels(made, stored_values(volume))
    made.NumberOfFrames = volume.shape[0]
    made.DimensionOrganizationSequence, made.DimensionIndexSequence = _dimensions(header)
    made.SharedFunctionalGroupsSequence = [_shared(volume)]
    made.PerFrameFunctionalGroupsSequence = [_frame(volume, index, header) for index in range(volume.shape[0])]
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def _item(**values: object) -> DicomSequence:
    """Return a sequence of one item."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return DicomSequence([item])


def _dimensions(header: Header) -> tuple[DicomSequence, DicomSequence]:
    uid = header.uid("dimensions", header.number)
    index = _item(
        DimensionOrganizationUID=uid,
        DimensionIndexPointer=0x00209057,  # In-Stack Position Number
        FunctionalGroupPointer=0x00209111,  # Frame Content Sequence
    )
    return _item(DimensionOrganizationUID=uid), index


def _shared(volume: Volume) -> Dataset:
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(
        PixelSpacing=decimals(volume.affine.spacing[1:]), SliceThickness=decimals([thickness(volume.affine)])[0]
    )
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=cosines(volume.affine))
    is_ct = volume.modality == "CT"
    kind = _item(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    if is_ct:
        shared.CTImageFrameTypeSequence = kind
    else:
        shared.MRImageFrameTypeSequence = kind
    shared.PixelValueTransformationSequence = _item(
        RescaleIntercept=-HU_OFFSET if is_ct else 0, RescaleSlope=1, RescaleType="HU" if is_ct else "US"
    )
    return shared


def _frame(volume: Volume, index: int, header: Header) -> Dataset:
    frame = Dataset()
    frame.FrameContentSequence = _item(
        StackID="1",
        InStackPositionNumber=index + 1,
        DimensionIndexValues=[index + 1],
        FrameAcquisitionNumber=1,
        FrameReferenceDateTime=f"{header.day}101500",
        FrameAcquisitionDateTime=f"{header.day}101500",
        FrameAcquisitionDuration=1.0,
    )
    frame.PlanePositionSequence = _item(ImagePositionPatient=decimals(volume.affine.to_world((index, 0, 0))))
    return frame
