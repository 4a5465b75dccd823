"""Phrases of the page that shows images before and after they were restored."""

from collections.abc import Mapping

RESTORED: Mapping[str, tuple[str, str]] = {
    "restored.kicker": ("Restored images", "影像预处理"),
    "restored.version": ("Version", "版本"),
    "restored.origin": ("Made from", "来源版本"),
    "restored.cases": ("Cases", "病例数"),
    "restored.lost": (
        "{count} cases have lost a structure: a step has cut off where it lay.",
        "{count} 例丢失了结构：某一步骤裁去了其所在区域。",
    ),
    "restored.whole": ("No case has lost a structure.", "没有病例丢失结构。"),
    "restored.changed": ("What each step changed", "各步骤所做的改变"),
    "restored.role": ("Role", "角色"),
    "restored.step": ("Step", "步骤"),
    "restored.figure": ("Figure", "指标"),
    "restored.middle": ("Middle case", "中位病例"),
    "restored.span": ("Lowest to highest", "最低至最高"),
    "restored.note": (
        "Figures are in the unit of the images that came in, unless their name ends in another.",
        "除名称另有单位后缀外，指标均以输入影像的单位表示。",
    ),
    "restored.pictures": ("Before and after: {role}", "处理前后：{role}"),
    "restored.before": ("Before", "处理前"),
    "restored.after": ("After", "处理后"),
    "restored.sheet": (
        "The slice through the middle of what is left, of {shown} cases evenly taken. All pictures before are shown "
        "from one black to one white, and so are all after: where cases have become alike, they look alike.",
        "均匀抽取 {shown} 例，显示处理后影像正中的层面。处理前各图共用同一窗值，处理后各图亦然："
        "若各例趋于一致，则看起来一致。",
    ),
    "restored.stays": (
        "The images before are kept as they were. Check: isocenter verify {version}.",
        "处理前的影像保持原样。核验：isocenter verify {version}。",
    ),
}
