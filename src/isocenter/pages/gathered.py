"""Phrases of the page of a cohort, in English and Chinese."""

from collections.abc import Mapping

GATHERED: Mapping[str, tuple[str, str]] = {
    "side.train": ("train", "训练"),
    "side.validation": ("validation", "验证"),
    "side.test": ("test", "测试"),
    "cohort.title": ("Cohort", "队列"),
    "cohort.version": ("Version", "版本"),
    "cohort.patients": ("Patients", "患者数"),
    "cohort.cases": ("Cases", "病例数"),
    "cohort.sides": ("Sides", "划分"),
    "cohort.clean": ("Nothing was found wrong", "未发现问题"),
    "cohort.warned": ("It can be used; look at what was found", "可以使用；请查看所发现的问题"),
    "cohort.stopped": ("It cannot be used as it is", "目前不能使用"),
    "cohort.counts": ("{stops} problems stop it, {warns} are warnings.", "{stops} 个问题必须解决，{warns} 个警告。"),
    "cohort.who": ("Who is in it", "队列构成"),
    "cohort.is_label": ("what is to be learnt", "学习目标"),
    "cohort.known": ("known of {known} patients", "{known} 名患者已知"),
    "cohort.missing": ("not of {missing}", "{missing} 名未知"),
    "cohort.kind": ("Group", "组别"),
    "cohort.share": ("Share [95 %]", "占比 [95 %]"),
    "cohort.effective": (
        "As diverse as {value} {interval} groups of one size; it names {kinds}.",
        "多样性相当于 {value} {interval} 个同等大小的组；共列出 {kinds} 组。",
    ),
    "cohort.spread": (
        "One number a patient: median {median}, middle half from {low} to {high}, all from {least} to {most}.",
        "每名患者一个数值：中位数 {median}，中间一半为 {low} 至 {high}，全部为 {least} 至 {most}。",
    ),
    "cohort.many": ("A different word for nearly every patient; not shown.", "几乎每名患者取值不同，不予列出。"),
    "cohort.no_facts": ("Nothing is known of its patients but their images.", "除影像外，没有关于患者的其他信息。"),
    "cohort.population": ("Beside the population that it is to stand for", "与目标人群比较"),
    "cohort.population_note": (
        "Stated shares (red line): {source}. Fewer or more is said where the interval of the cohort's share leaves the "
        "stated one out; of twenty groups one does so by chance.",
        "目标占比（红线）来源：{source}。队列占比的区间不含目标值时记为偏少或偏多；每二十组约有一组属偶然。",
    ),
    "cohort.stated": ("Stated", "目标"),
    "cohort.less": ("fewer than there", "偏少"),
    "cohort.more_than": ("more than there", "偏多"),
    "cohort.alike": ("not told apart", "未见差别"),
    "cohort.found": ("What was found", "发现的问题"),
    "cohort.where": ("Where", "位置"),
    "cohort.what": ("Found", "发现"),
    "cohort.mend": ("What mends it", "处理办法"),
    "cohort.limit": ("expected: {limit}", "要求：{limit}"),
    "cohort.stop": ("stops", "须解决"),
    "cohort.warn": ("look", "请查看"),
    "cohort.more": (
        "{more} more are not listed; `isocenter check` lists all.",
        "另有 {more} 个未列出；`isocenter check` 可列出全部。",
    ),
    "cohort.named": ("Cases that were named above", "上文提到的病例"),
    "cohort.sample": ("A sample of its cases", "病例抽样"),
    "cohort.sample_note": (
        "Drawn by chance; the slice that shows most of what was outlined, else the middle one.",
        "随机抽取；显示勾画最多的层面，无勾画时显示中间层面。",
    ),
}
