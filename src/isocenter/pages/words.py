"""Every phrase that a page shows, in English and Chinese."""

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Literal, get_args

from isocenter.errors import NotFoundError
from isocenter.pages.gathered import GATHERED
from isocenter.pages.phrases import PHRASES
from isocenter.pages.privacy import PRIVACY
from isocenter.pages.restored import RESTORED
from isocenter.pages.versions import VERSIONS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def say(key: str, *, lang: str, **values: object) -> str:
    """Return a phrase in a language, its placeholders filled.

    Raises:
        NotFoundError: No such phrase, no such language, or a placeholder without a value.
    """
    if lang not in LANGUAGES:
        raise NotFoundError(f"Pages are written in {' and '.join(LANGUAGES)}; {lang!r} is not among them.")
    if key not in WORDS:
        raise NotFoundError(f"The table of words has no phrase {key!r}.")
    try:
        return WORDS[key][LANGUAGES.index(lang)].format(**values)
    except KeyError as error:
        raise NotFoundError(f"The phrase {key!r} needs a value for {error}.") from error


def knows(key: str) -> bool:
    """Return whether the table has a phrase of that key."""
    return key in WORDS


def reword(sentence: str, *, lang: str) -> str:
    """Return an English sentence of the table in another language; any other sentence as it is.

    Documents keep reasons and notes as English sentences; a page in another language looks them up by what they say.
    What fills the blanks of a reason or a note stays as it is.
    """
    if lang == "en":
        return sentence
    for key, (english, _) in WORDS.items():
        if english == sentence:
            return say(key, lang=lang)
    for key, pattern in _patterns().items():
        if found := pattern.fullmatch(sentence):
            return say(key, lang=lang, **found.groupdict())
    return sentence


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Return what reasons and notes with blanks look like once these are filled."""
    patterns = {}
    for key, (english, _) in WORDS.items():
        if key.startswith(("reason.", "note.")):
            parts = ((re.escape(text), name) for text, name, _, _ in Formatter().parse(english))
            patterns[key] = "".join(f"{text}(?P<{name}>.+)" if name else text for text, name in parts)
    return {key: re.compile(pattern, re.DOTALL) for key, pattern in patterns.items()}


def unit(name: str, *, lang: str) -> str:
    """Return a unit as a page writes it: empty for "1", ours in the page's language, those of science as they are."""
    if name == "1":
        return ""
    return say(f"unit.{name}", lang=lang) if knows(f"unit.{name}") else name


def answered(value: str, *, lang: str) -> str:
    """Return an answer as a page writes it: "yes" and "no" in the page's language, classes in their own words."""
    return say(f"answer.{value}", lang=lang) if value in ("yes", "no") else value


# Key: (English, Chinese). A key's first part says where it is shown.
WORDS: Mapping[str, tuple[str, str]] = {
    # report: its head
    "report.title": ("Imaging report", "影像报告"),
    "report.kind": ("Read by a model", "模型阅片"),
    "report.case": ("Case (pseudonym)", "病例（化名）"),
    "report.composed": ("Composed", "生成时间"),
    "report.model": ("Model", "模型"),
    "verdict.yes": ("Released", "可以发布"),
    "verdict.review": ("A person must review this", "须由人工复核"),
    "verdict.no": ("Not released", "不予发布"),
    "reason.unchecked": (
        "No check of release has been set up for this model, so every result goes to a person.",
        "该模型尚未设置发布检查，所有结果一律交由人工复核。",
    ),
    "reason.no_seg": ("No SEG was written. {why}", "未写出 SEG 文件。{why}"),
    "status.machine": (
        "Machine result, not confirmed by a person. Not for clinical use.",
        "机器结果，未经人工确认。不得用于临床。",
    ),
    "status.confirmed": ("Confirmed by a person. Not for clinical use.", "已由人工确认。不得用于临床。"),
    "status.amended": ("Amended by a person. Not for clinical use.", "已由人工修改。不得用于临床。"),
    "status.refused": ("Refused by a person. Not for clinical use.", "已被人工否决。不得用于临床。"),
    # what was asked
    "asked.title": ("What was asked", "检查内容"),
    "asked.sentence": (
        "Outline {structures} in the images given, and measure them.",
        "在所给影像中勾画并测量：{structures}。",
    ),
    "asked.input": ("Images", "影像"),
    "kind.dicom": ("DICOM series", "DICOM 序列"),
    "kind.nifti": ("NIfTI file", "NIfTI 文件"),
    "asked.many": (
        "Outline {count} structures in the images given, and measure them; they are listed below.",
        "在所给影像中勾画并测量下表所列的 {count} 个结构。",
    ),
    "asked.grid": ("Slices × rows × columns", "层 × 行 × 列"),
    "asked.spacing": ("Spacing of these", "相应间距"),
    "asked.time": ("Time taken", "耗时"),
    "asked.seconds": ("{seconds} s", "{seconds} 秒"),
    # what was found
    "found.title": ("What was found", "所见"),
    "found.structure": ("Structure", "结构"),
    "found.volume": ("Volume", "体积"),
    "found.interval": ("95 % interval", "95 % 区间"),
    "found.patients": ("n", "n"),
    "found.extent": ("Extent R–L × A–P × F–H", "范围 左右 × 前后 × 上下"),
    "found.slices": ("Slices", "层面"),
    "found.pieces": ("Parts", "部分数"),
    "found.none": ("nothing outlined", "未勾画到"),
    "found.no_interval": ("not known", "未知"),
    "found.cut": ("reaches the image edge", "达到图像边缘"),
    "found.note": (
        "The interval says how far this model's volumes lay from the truth on its n validation patients. Extent, "
        "slices and parts describe the outline itself.",
        "区间表示该模型在 n 名验证患者上测得的体积与真值的偏离程度。范围、层面与部分数描述的是勾画结果本身。",
    ),
    # pictures
    "pictures.title": ("Pictures", "图像"),
    "pictures.overview": ("Where most of it is seen", "显示所见最多的层面"),
    "pictures.overview_empty": ("Through the middle of the images", "经过图像中心"),
    "pictures.series": ("From end to end of what was found", "所见范围逐层"),
    "pictures.outlines": ("Show outlines", "显示轮廓"),
    "pictures.slice": ("slice {number} of {count}", "第 {number} / {count} 层"),
    "pictures.note": (
        "Patient's right is on the left of axial and coronal pictures; sagittal ones face left. Smoothed for display; "
        "the outline runs inside the structure's edge.",
        "横断面与冠状面图像左侧为患者右侧；矢状面患者面向左。显示时经插值平滑；轮廓线位于结构边缘内侧。",
    ),
    "pictures.note_planar": (
        "Shown as stored. Smoothed for display; the outline runs inside the structure's edge.",
        "按存储方向显示。显示时经插值平滑；轮廓线位于结构边缘内侧。",
    ),
    "pictures.alt": ("{plane} picture, slice {number} of {count}", "{plane}图像，第 {number} / {count} 层"),
    "plane.axial": ("Axial", "横断面"),
    "plane.coronal": ("Coronal", "冠状面"),
    "plane.sagittal": ("Sagittal", "矢状面"),
    "plane.picture": ("As stored", "原始方向"),
    "shading.soft": ("Soft-tissue window: C {centre} W {width} HU", "软组织窗：窗位 {centre} 窗宽 {width} HU"),
    "shading.lung": ("Lung window: C {centre} W {width} HU", "肺窗：窗位 {centre} 窗宽 {width} HU"),
    "shading.bone": ("Bone window: C {centre} W {width} HU", "骨窗：窗位 {centre} 窗宽 {width} HU"),
    "shading.suv": ("SUV 0 to {high}, inverted", "SUV 0 至 {high}，反相"),
    "shading.percentiles_near": (
        "Greys from the 0.5th to the 99.5th percentile round what was found",
        "灰度取所见周围的 0.5 至 99.5 百分位",
    ),
    "shading.percentiles": ("Greys from the 0.5th to the 99.5th percentile", "灰度取 0.5 至 99.5 百分位"),
    "shading.colour": ("Colours as stored", "按原始颜色显示"),
    # how the model did
    "scores.title": ("How the model did on patients whose truth is known", "模型在已知真值患者上的表现"),
    "scores.test": (
        "Test side of the data set that it learnt from ({name}): {n} patients that it never saw.",
        "训练所用数据集（{name}）的测试部分：{n} 名模型从未见过的患者。",
    ),
    "scores.all": ("Another data set ({name}): {n} patients.", "另一数据集（{name}）：{n} 名患者。"),
    "scores.validation": (
        "Validation side of the data set that it learnt from ({name}): {n} patients that did not "
        "teach it, but from whom its intervals and operating points come.",
        "训练所用数据集（{name}）的验证部分：{n} 名患者，未参与学习，但区间与阈值由此得出。",
    ),
    "scores.none": (
        "Nobody has measured it: there is no evaluation of this model. Its figures here are claims without proof.",
        "尚无人测量：该模型没有评估结果，本报告中的数值未经证实。",
    ),
    "scores.mean": ("mean of structures", "各结构均值"),
    "scores.whole": ("over all", "总体"),
    "scores.better_high": ("higher is better", "越高越好"),
    "scores.better_low": ("lower is better", "越低越好"),
    "scores.better_zero": ("nearer to 0 is better", "越接近 0 越好"),
    "scores.subgroups": ("{measure} by subgroup", "{measure}（按亚组）"),
    "scores.note": (
        "Dot: mean over patients, or one figure of all of them together, such as an AUC. Line: 95 % interval by "
        "resampling patients (bootstrap); where all agree, by how few they are (exact binomial).",
        "圆点：患者均值，或全体的单一指标（如 AUC）。横线：按患者重抽样（bootstrap）的 95 % 区间；患者结果全部一致时，"
        "按人数取二项分布精确区间。",
    ),
    "score.dice": ("Dice overlap", "Dice 重叠度"),
    "score.nsd": ("Surface agreement (NSD)", "表面一致度（NSD）"),
    "score.nsd_within": ("Surface agreement within {mm} mm (NSD)", "{mm} mm 内表面一致度（NSD）"),
    "score.hd95": ("Surface distance, 95th percentile (HD95)", "表面距离第 95 百分位（HD95）"),
    "score.volume_error": ("Volume error, sign left out", "体积误差（绝对值）"),
    "score.volume_bias": ("Volume error with its sign", "体积误差（带符号）"),
    # limits
    "limits.title": ("Limits", "局限"),
    "limit.series": (
        "The image series is not regular ({verdict}) and was read in spite of that: sizes and places may be off.",
        "影像序列不规则（{verdict}），仍被读取：大小与位置可能有偏差。",
    ),
    "series.tilted": ("tilted", "倾斜"),
    "series.missing slice": ("missing slice", "缺层"),
    "series.duplicate positions": ("duplicate positions", "位置重复"),
    "series.uneven spacing": ("uneven spacing", "间距不均"),
    "series.localiser": ("localiser", "定位像"),
    "series.truncated": ("truncated", "文件截断"),
    "limit.cut": (
        "{structures}: the outline reaches the edge of the images. The structure may go on outside, and its volume is "
        "a lower bound.",
        "{structures}：轮廓达到图像边缘，结构可能延伸至图像之外，所示体积仅为下限。",
    ),
    "limit.absent": (
        "{structures}: nothing was outlined. This does not prove that it is absent.",
        "{structures}：未勾画到。这不能证明其不存在。",
    ),
    "limit.overlapping": (
        "Some structures contain others; their volumes must not be added.",
        "部分结构包含其他结构，其体积不可相加。",
    ),
    "limit.interval": (
        "Intervals hold for patients and scanners like those of the validation set. On other machines, ages or "
        "diseases the error may be larger.",
        "区间仅适用于与验证集相似的患者与设备。换用其他设备、年龄或疾病时误差可能更大。",
    ),
    "limit.untested": (
        "The model has not been evaluated on a test set; nobody knows how well it does.",
        "该模型尚未在测试集上评估，其表现未知。",
    ),
    "limit.few": (
        "Only {n} patients were tested; with so few, the intervals themselves are unsure.",
        "仅测试了 {n} 名患者；人数过少，区间本身也不可靠。",
    ),
    "limit.one_source": (
        "The test patients come from the same source as those it learnt from. Elsewhere it may do worse.",
        "测试患者与训练患者来源相同；换到其他机构，表现可能下降。",
    ),
    "limit.only_these": (
        "It outlines the structures listed here and looks for nothing else: silence on anything else means nothing.",
        "模型只勾画此处所列结构，不检查其他任何内容；未提及不代表正常。",
    ),
    "limit.this_case": (
        "Scores are means over patients. They do not say that this case was read well: look at the outlines.",
        "各项得分为患者均值，不能说明本例勾画良好：请核对轮廓。",
    ),
    # where each number comes from
    "origins.title": ("Where each number comes from", "数值来源"),
    "origins.what": ("Numbers", "数值"),
    "origins.thing": ("From", "来源"),
    "origins.digest": ("Content (sha256)", "内容（sha256）"),
    "origins.receipt": ("Receipt (sha256)", "凭据（sha256）"),
    "origins.missing": ("none", "无"),
    "origins.note": (
        "isocenter verify walks from this page along the receipts back to the source images, and says at the first "
        "link that does not hold which one and why.",
        "运行 isocenter verify 可从本页沿凭据逐级核对至原始影像；若某一环不成立，会指出是哪一环及原因。",
    ),
    "origin.volumes": ("Volume, extent, slices, parts", "体积、范围、层面、部分数"),
    "origin.intervals": ("Intervals of the volumes", "体积区间"),
    "origin.pictures": ("Pictures", "图像"),
    "origin.scores": ("Scores of the model", "模型得分"),
    "origin.learning": ("What the model learnt from", "模型训练数据"),
    "origin.model": ("model", "模型"),
    "origin.input": ("images as read", "所读影像"),
    "origin.dataset": ("data set", "数据集"),
    # how it was read
    "reading.title": ("How it was read", "阅片过程"),
    "reading.created": ("Model made", "模型生成时间"),
    "reading.patients": ("Patients it learnt from", "训练患者数"),
    "reading.patients_value": (
        "{train} to learn, {validation} to choose, {test} to test",
        "训练 {train}，验证 {validation}，测试 {test}",
    ),
    "reading.dataset": ("Data set", "数据集"),
    "reading.licence": ("Terms of the data", "数据许可"),
    "reading.network": ("Network", "网络"),
    "reading.spacing": ("Grid of the network", "网络网格"),
    "reading.patch": ("Window", "窗口"),
    "reading.voxels": ("{size} voxels", "{size} 体素"),
    "reading.overlap": ("Overlap of windows", "窗口重叠"),
    "reading.stages": ("Time by stage", "各阶段耗时"),
    "stage.read": ("reading", "读取"),
    "stage.prepare": ("preparing", "准备"),
    "stage.choose": ("choosing the runtime", "选择运行方式"),
    "stage.network": ("network", "网络"),
    "stage.blend": ("blending windows", "窗口融合"),
    "stage.label": ("labelling", "生成标签"),
    "stage.restore": ("back to the images' grid", "还原网格"),
    "stage.write": ("writing", "写出"),
    "stage.total": ("total", "合计"),
    "foot.made": ("Made by isocenter {version}", "由 isocenter {version} 生成"),
    # run page
    "run.title": ("Training run", "训练运行"),
    "run.going": ("Running", "运行中"),
    "run.done": ("Done", "已完成"),
    "run.stopped": ("Stopped; the same command goes on from here", "已停止；再次运行同一命令可继续"),
    "run.failed": ("Failed", "失败"),
    "run.of_steps": ("step {step} of {steps}", "第 {step} / {steps} 步"),
    "run.steps": ("{step} steps", "共 {step} 步"),
    "run.spent": ("{time} spent", "已用 {time}"),
    "run.left": ("about {time} left", "约剩 {time}"),
    "run.recipe": ("Recipe", "配方"),
    "run.plan": ("Plan", "方案"),
    "run.dataset": ("Data set", "数据集"),
    "run.curves": ("Curves", "曲线"),
    "run.no_curves": ("The first figures come with the first steps.", "首批数值将随训练开始出现。"),
    "run.step": ("step", "步"),
    "run.scores": ("Scores on the validation patients", "验证患者得分"),
    "run.decisions": ("What was decided, and why", "各项决定及理由"),
    "run.key": ("Key", "项"),
    "run.value": ("Decided", "决定"),
    "run.reason": ("Reason", "理由"),
    "run.remarks": ("What was noticed", "提示"),
    "curve.loss": ("Loss", "损失"),
    "curve.rate": ("Learning rate", "学习率"),
    "curve.dice": ("Dice overlap on validation patients", "验证患者 Dice 重叠度"),
    "curve.auc": ("AUC on validation cases", "验证病例 AUC"),
    "curve.kappa": ("Quadratic weighted kappa on validation cases", "验证病例二次加权 kappa"),
    "curve.mae": ("Mean absolute error on validation cases", "验证病例平均绝对误差"),
    "curve.mean": ("mean", "均值"),
    "curve.train": ("training", "训练"),
    "curve.validation": ("validation", "验证"),
    "page.loading": (
        "This page renews itself every {seconds} s while the run goes on.",
        "运行期间本页每 {seconds} 秒自动刷新。",
    ),
    **PHRASES,
    **PRIVACY,
    **GATHERED,
    **VERSIONS,
    **RESTORED,
}
