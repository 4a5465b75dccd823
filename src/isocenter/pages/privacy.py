"""Phrases of what leaves a hospital without names: the page that shows what was done, and what that proves."""

from collections.abc import Mapping

PRIVACY: Mapping[str, tuple[str, str]] = {
    "deid.title": ("De-identification", "去标识化"),
    "deid.of_project": ("Project {project}", "项目 {project}"),
    "deid.run": ("Run", "运行"),
    "deid.at": ("Done", "完成时间"),
    "deid.edition": ("Table", "依据"),
    "deid.proved": ("May leave: a second look found nobody", "可以对外提供：复查未发现任何身份信息"),
    "deid.unproved": ("Not proved: no second look was taken", "未经证明：未作复查"),
    "deid.nothing": ("Nothing leaves", "无可提供的文件"),
    "deid.counts": (
        "{released} files of {patients} patients leave; {review} are kept back for a person to look at; {left_out} are "
        "left out.",
        "提供 {released} 个文件，来自 {patients} 名患者；{review} 个留待人工核查；{left_out} 个不予提供。",
    ),
    "deid.asked": ("What was asked for", "所用规则"),
    "deid.asked_note": (
        "Profile and options of DICOM PS3.15 annex E. Whatever no option keeps or cleans is treated by the basic "
        "profile.",
        "规则与选项依据 DICOM PS3.15 附录 E；选项未涉及者一律按基本规则处理。",
    ),
    "deid.kept": ("Kept by the site although the profile would not", "本单位决定保留的属性（规则本不允许）"),
    "deid.columns": ("Columns of tables that leave as they are", "原样提供的表格列"),
    "deid.removed_too": ("Removed by the site as well", "本单位另行删除的属性"),
    "deid.replaced_too": ("Replaced by the site as well", "本单位另行替换的属性"),
    "deid.done": ("What was done", "处理结果"),
    "deid.action": ("Treatment", "处理方式"),
    "deid.elements": ("Elements in what leaves", "所提供文件中的元素数"),
    "deid.action.X": ("removed", "删除"),
    "deid.action.Z": ("emptied, or given a pseudonym", "清空或换为假名"),
    "deid.action.D": ("replaced by a dummy", "换为占位值"),
    "deid.action.U": ("given another UID", "换为新 UID"),
    "deid.action.C": ("cleaned, or its day shifted", "清洗或平移日期"),
    "deid.pixels": (
        "Pixels: {frames} frames looked at; text was blanked in {files} files. Outside of the blanked boxes every "
        "pixel is what it was; that was checked file by file.",
        "像素：检查 {frames} 帧，{files} 个文件中的文字已遮盖。遮盖框外每个像素均未改变，逐个文件核对。",
    ),
    "deid.no_pixels": (
        "Pixels were not looked at: files that may be written on were kept back.",
        "未检查像素：像素中可能有文字的文件已留待核查。",
    ),
    "deid.second": ("The second look", "复查"),
    "deid.second_note": (
        "Everything that leaves was looked at again with other means than those that cleaned it: another reading of "
        "the standard's table, a search of the raw bytes for whatever the header said, another reader of text in other "
        "crops and contrasts. What it doubted does not leave. The bound says how many may still be there at 95 % "
        "confidence, as far as this second look can see; how much it sees is measured on planted cases.",
        "所提供的每个文件均以不同于清洗时的手段复查：另一份标准表格、在原始字节中搜索头信息中的身份词、"
        "另一文字识别器以不同的裁剪与对比度重读。凡有疑者不予提供。上限指在复查能力所及范围内、95% 置信度下"
        "仍可能残留的比例；复查能力以植入样本测定。",
    ),
    "deid.looked": ("Looked at", "复查对象"),
    "deid.found": ("Found", "发现"),
    "deid.most": ("At most, at 95 %", "95% 上限"),
    "deid.bound": ("{found} of {of}", "{of} 个中 {found} 个"),
    "deid.what.files": ("files", "文件"),
    "deid.what.patients": ("patients", "患者"),
    "deid.what.frames": ("frames", "帧"),
    "deid.review": ("Kept back", "留待核查"),
    "deid.reason": ("Reason", "原因"),
    "deid.count": ("Files", "文件数"),
    "deid.sheet": ("A sample of what leaves", "所提供影像抽样"),
    "deid.sheet_note": (
        "{shown} frames drawn by chance from what leaves, as they leave.",
        "从所提供影像中随机抽取 {shown} 帧，原样显示。",
    ),
    "deid.limits": ("What this does not prove", "本证明不包括"),
    "deid.limit_faces": (
        "Whether a face can be made out of a head scan: faces were not removed.",
        "头部扫描能否重建面部：未去除面部。",
    ),
    "deid.faces": (
        "Faces: removed from {frames} frames of head scans, by geometry from each head's own vault. The inside of the "
        "cranium is untouched; a scan in which no head could be placed was kept back.",
        "面部：依据各头颅颅顶的几何位置，已从头部扫描的 {frames} 帧中去除面部。"
        "颅腔内部未作改动；无法定位头部的扫描已留待核查。",
    ),
    "deid.limit_ears": (
        "Whether ears, teeth or the shape of a skull tell who somebody is: they stay.",
        "耳廓、牙齿或颅骨形状能否识别个人：这些均予保留。",
    ),
    "deid.limit_pixels_match": (
        "Whether somebody who has the original images finds them again by their pixels.",
        "持有原始影像者能否凭像素比对找回原图。",
    ),
    "deid.limit_words": (
        "Whether a rare disease or an unusual date tells who somebody is, although nothing names them.",
        "罕见疾病或特殊日期能否在无姓名的情况下指向个人。",
    ),
    "deid.verify": (
        "Check this folder: isocenter verify FOLDER. It hashes every file again and checks the signature.",
        "核验本文件夹：isocenter verify FOLDER。将重新计算每个文件的哈希并检查签名。",
    ),
    "deid.option.basic": ("Basic Application Confidentiality Profile", "基本应用层保密规则"),
    "deid.option.clean-pixel-data": ("Clean Pixel Data Option", "清洗像素数据"),
    "deid.option.clean-visual-features": ("Clean Recognizable Visual Features Option", "清除可辨识的面容特征"),
    "deid.option.clean-graphics": ("Clean Graphics Option", "清洗图形"),
    "deid.option.clean-structured-content": ("Clean Structured Content Option", "清洗结构化内容"),
    "deid.option.clean-descriptors": ("Clean Descriptors Option", "清洗描述文字"),
    "deid.option.retain-full-dates": ("Retain Longitudinal Temporal Information Full Dates Option", "保留完整日期"),
    "deid.option.retain-modified-dates": (
        "Retain Longitudinal Temporal Information Modified Dates Option",
        "保留平移后的日期",
    ),
    "deid.option.retain-patient-characteristics": ("Retain Patient Characteristics Option", "保留患者特征"),
    "deid.option.retain-device-identity": ("Retain Device Identity Option", "保留设备标识"),
    "deid.option.retain-uids": ("Retain UIDs Option", "保留 UID"),
    "deid.option.retain-safe-private": ("Retain Safe Private Option", "保留安全的私有属性"),
    "deid.option.retain-institution-identity": ("Retain Institution Identity Option", "保留机构标识"),
    # why a file is kept back, word for word as the rooms of de-identification say it
    "reason.deid.twice": (
        "Another file has the same SOP Instance UID. One of them was released; look which one is right.",
        "另有文件的 SOP Instance UID 与之相同，已提供其中之一，请核对哪一个正确。",
    ),
    "reason.deid.strange": (
        "No DICOM file and no picture that is understood. Look whether it belongs to the cohort.",
        "既非 DICOM 文件，也非可识别的图片，请核对是否属于本队列。",
    ),
    "reason.deid.directory": (
        "A DICOMDIR repeats what its files say of patients; readers make a new one.",
        "DICOMDIR 重复了文件中的患者信息；阅读软件可自行重建。",
    ),
    "reason.deid.table_unreadable": (
        "A table that cannot be read. Save it again as CSV in UTF-8.",
        "表格无法读取。请另存为 UTF-8 编码的 CSV。",
    ),
    "reason.deid.table_paths": (
        "A table in which no column of a usual name ('path', 'image', 'mask') leads to files of the run.",
        "表格中没有常用列名（'path'、'image'、'mask'）的列指向本次处理的文件。",
    ),
    "reason.deid.table_lines": (
        "A table of which no line leads to files that leave.",
        "表格中没有任何一行指向可提供的文件。",
    ),
    "reason.deid.table_left": (
        "table: {count} word(s) of what was taken out of it are still there",
        "表格：已删除内容中有 {count} 个词语仍然存在",
    ),
    "reason.deid.picture": (
        "A picture may be written on. Have pixels looked at: add clean-pixel-data to the profile.",
        "图片中可能有文字。请检查像素：在规则中加入 clean-pixel-data。",
    ),
    "reason.deid.burned": (
        "Its header says that something is written in the pixels (Burned In Annotation). Have pixels looked "
        "at: add clean-pixel-data to the profile.",
        "头信息称像素中有文字（Burned In Annotation）。请检查像素：在规则中加入 clean-pixel-data。",
    ),
    "reason.deid.capture": (
        "It is a secondary capture: a picture of a screen. Have pixels looked at: add clean-pixel-data to the profile.",
        "属二次采集，即屏幕图像。请检查像素：在规则中加入 clean-pixel-data。",
    ),
    "reason.deid.modality": (
        "Devices of modality {modality} write into their pixels. Have pixels looked at: add clean-pixel-data "
        "to the profile.",
        "{modality} 类设备会在像素中写字。请检查像素：在规则中加入 clean-pixel-data。",
    ),
    "reason.deid.image_type": (
        "Its image type is that of a capture or a dose report. Have pixels looked at: add clean-pixel-data "
        "to the profile.",
        "图像类型属截屏或剂量报告。请检查像素：在规则中加入 clean-pixel-data。",
    ),
    "reason.deid.two_numbers": (
        "One person (name and date of birth) has several numbers, so several pseudonyms. Say in the source which.",
        "同一人（姓名与出生日期相同）有多个编号，因而有多个假名，请在源数据中确认。",
    ),
    "reason.deid.two_persons": (
        "Several persons (name and date of birth) have this number, so one pseudonym. Say in the source whose it is.",
        "多人（姓名与出生日期不同）共用此编号，因而共用一个假名，请在源数据中确认归属。",
    ),
    "reason.deid.damaged": (
        "A DICOM file is damaged ({error}). Copy it again from its source.",
        "DICOM 文件已损坏（{error}），请从源头重新复制。",
    ),
    "reason.deid.undecodable": (
        "A file's pixels cannot be decoded ({error}). Copy it again from its source.",
        "文件像素无法解码（{error}），请从源头重新复制。",
    ),
    "reason.deid.left_words": (
        "bytes: {count} word(s) of the header's identity are still there",
        "字节：仍有头信息中的 {count} 个身份词",
    ),
    "reason.deid.left_names": (
        "pixels: a second reader still reads {count} line(s) like what the header said",
        "像素：第二识别器仍读出 {count} 行与头信息相近的文字",
    ),
    "reason.deid.left_text": (
        "pixels: a second reader still reads {count} line(s) of text",
        "像素：第二识别器仍读出 {count} 行文字",
    ),
}
