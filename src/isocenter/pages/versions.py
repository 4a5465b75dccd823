"""Phrases of versions of data sets; words.py looks them up."""

from collections.abc import Mapping

VERSIONS: Mapping[str, tuple[str, str]] = {
    "change.nothing": ("Nothing changed: both are one version.", "没有变化：二者是同一版本。"),
    "change.comma": (", ", "、"),
    "change.more": ("and {count} more", "以及另外 {count} 项"),
    "change.added": ("Cases added: {count} ({names}).", "新增病例 {count} 例（{names}）。"),
    "change.removed": ("Cases removed: {count} ({names}).", "移除病例 {count} 例（{names}）。"),
    "change.renamed": ("Cases under another name: {count} ({names}).", "更名病例 {count} 例（{names}）。"),
    "change.patient": (
        "Cases given to another patient: {count} ({names}).",
        "归属患者改变的病例 {count} 例（{names}）。",
    ),
    "change.day": ("Cases of another day: {count} ({names}).", "检查日改变的病例 {count} 例（{names}）。"),
    "change.source": ("Cases of another source: {count} ({names}).", "来源改变的病例 {count} 例（{names}）。"),
    "change.image_added": ("Images added as {what}: {count} ({names}).", "新增影像（{what}）{count} 例（{names}）。"),
    "change.image_removed": ("Images {what} removed: {count} ({names}).", "移除影像（{what}）{count} 例（{names}）。"),
    "change.image_changed": (
        "Pixels or grid of {what} changed: {count} ({names}).",
        "影像（{what}）的像素或网格改变 {count} 例（{names}）。",
    ),
    "change.outline_added": ("Newly outlined by {what}: {count} ({names}).", "{what} 新勾画 {count} 例（{names}）。"),
    "change.outline_removed": (
        "Outlines by {what} removed: {count} ({names}).",
        "移除 {what} 的勾画 {count} 例（{names}）。",
    ),
    "change.outline_changed": (
        "Outlined otherwise by {what}: {count} ({names}).",
        "{what} 修改勾画 {count} 例（{names}）。",
    ),
    "change.outline_noted": (
        "The same outlines by {what}, of which something else is said: {count} ({names}).",
        "{what} 的勾画未变、说明改变 {count} 例（{names}）。",
    ),
    "change.label": (
        "Labelled otherwise ({what}; nobody is named for it): {count} ({names}).",
        "标签改变（{what}，未注明何人）{count} 例（{names}）。",
    ),
    "change.fact": ("Fact {what} changed: {count} ({names}).", "资料项 {what} 改变 {count} 例（{names}）。"),
    "change.labels": ("What the labels mean: {before} → {after}.", "标签含义：{before} → {after}。"),
    "change.terms": ("Stated of the data ({what}): {before} → {after}.", "数据说明（{what}）：{before} → {after}。"),
    "change.left_out": (
        "Listed as left out: {before} before, {after} now.",
        "列为未纳入：此前 {before} 项，现为 {after} 项。",
    ),
    "change.moved": (
        "Patients moved from {before} to {after}: {count} ({names}).",
        "由{before}移至{after}的患者 {count} 名（{names}）。",
    ),
    "change.fold": ("Patients in another fold: {count} ({names}).", "换折患者 {count} 名（{names}）。"),
    "change.seed": ("Seed of the split: {before} → {after}.", "划分种子：{before} → {after}。"),
    "change.side.train": ("train", "训练"),
    "change.side.validation": ("validation", "验证"),
    "change.side.test": ("test", "测试"),
    "change.side.none": ("no side", "未划分"),
}
