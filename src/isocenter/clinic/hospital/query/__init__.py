"""Query and retrieve: what was asked for, from a PACS into a folder, nothing twice."""

# way -> how it is asked; each needs a package of the extra "hospital"
ARCHIVES = {
    "dimse": "isocenter.clinic.hospital.query.dimse:DimseArchive",
    "web": "isocenter.clinic.hospital.query.web:WebArchive",
}
