"""Phrases of answers, of measures and of two runs side by side; words.py holds the others and looks all of them up."""

from collections.abc import Mapping

PHRASES: Mapping[str, tuple[str, str]] = {
    # what was asked of the whole image, and answered
    "asked.answers": (
        "Answer for the whole image: {targets}.",
        "对整幅影像作答：{targets}。",
    ),
    "head.outlined": ("Outlined", "已勾画"),
    "head.count": ("{found} of {count} structures", "{count} 个结构中的 {found} 个"),
    "head.probability": ("probability {probability}", "概率 {probability}"),
    "head.probability_of": ("probability of {answer} {probability}", "「{answer}」的概率 {probability}"),
    "head.no_interval": ("interval not known", "区间未知"),
    "head.share": (
        "of {n} patients with such a probability {true} had it",
        "概率相近的 {n} 名患者中 {true} 名确为如此",
    ),
    "head.error": (
        "in {n} patients with such answers {error} off on average",
        "同类回答的 {n} 名患者平均相差 {error}",
    ),
    "head.others": ("{count} other findings", "其余 {count} 项"),
    "head.all": ("all {count} findings", "全部 {count} 项"),
    "head.more": ("{count} more findings", "另有 {count} 项"),
    "answer.yes": ("yes", "是"),
    "answer.no": ("no", "否"),
    "unit.pixels": ("pixels", "像素"),
    "unit.voxels": ("voxels", "体素"),
    "unit.grades": ("grades", "级"),
    "asked.grid_picture": ("Rows × columns", "行 × 列"),
    "kind.picture": ("Picture file", "图片文件"),
    "found.question": ("Question", "问题"),
    "found.answer": ("Answer", "回答"),
    "found.probability": ("Probability", "概率"),
    "found.rule": ("Answered because", "作答依据"),
    "found.at_point": ("{name} from {point} on", "{name} 概率达 {point}"),
    "found.below_point": ("{name} below {point}", "{name} 概率低于 {point}"),
    "found.most_probable": ("most probable", "概率最高"),
    "found.from_point": ("from {point} on", "阈值 {point}"),
    "found.learnt": ("Learnt from", "学习范围"),
    "found.learnt_range": ("learnt from", "学习范围"),
    "found.beyond": ("beyond what was learnt", "超出学习范围"),
    "found.area": ("Area", "面积"),
    "found.extent_picture": ("Extent across × down", "范围 横 × 纵"),
    "found.note_answers": (
        "Probabilities are the model's own. A mark stands where the answer turns, a point chosen on validation "
        "patients; without a mark the most probable class is answered.",
        "概率由模型给出。竖线为判定阈值，在验证患者上选定；无竖线时取概率最高者。",
    ),
    "found.note_number": (
        "The interval is for this one patient: it says how far the model lay from the truth on its validation "
        "patients. The shaded range is what it learnt from.",
        "区间针对该患者本人，表示模型在验证患者上与真值的偏离程度。阴影为学习范围。",
    ),
    "similar.title": ("What such answers meant on patients whose truth is known", "同类回答在已知真值患者上的含义"),
    "similar.share": (
        "Of {n} patients to whom the model gave {answer} ({target}) a probability from {low} to {high}, {true} had "
        "it: {share} {interval}.",
        "模型给出「{answer}」（{target}）概率在 {low} 至 {high} 之间的患者共 {n} 名，"
        "其中 {true} 名确为如此：{share} {interval}。",
    ),
    "similar.error": (
        "In {n} patients for whom the model answered {low} to {high} ({target}), it lay {error} {interval} away from "
        "the truth on average.",
        "模型回答在 {low} 至 {high} 之间（{target}）的患者共 {n} 名，与真值平均相差 {error} {interval}。",
    ),
    "similar.images": (
        "These patients have {cases} images; each patient counts once, by the mean of theirs.",
        "这些患者共有 {cases} 幅影像；每名患者按其影像均值计一次。",
    ),
    "similar.none": (
        "Nobody knows: there is no evaluation of this model that asked the same.",
        "未知：该模型没有针对同一问题的评估结果。",
    ),
    "similar.this_case": ("this case", "本例"),
    "similar.across": ("probability", "概率"),
    "similar.note": (
        "Dot: share of patients of whom it was true, in each tenth of the probability. Line: 95 % interval (Wilson). "
        "Shaded: answers like this one. On the broken line, probabilities would be shares.",
        "圆点：各概率十分位内确为如此的患者比例。竖线：95 % 区间（Wilson）。阴影：与本例相近的回答。"
        "虚线：概率与比例相等。",
    ),
    "similar.note_number": (
        "95 % interval by resampling patients (bootstrap).",
        "95 % 区间按患者重抽样（bootstrap）。",
    ),
    "limit.beyond": (
        "{target}: the answer lies beyond the range that the model learnt from. It is a guess.",
        "{target}：回答超出模型的学习范围，仅为推测。",
    ),
    "limit.prevalence": (
        "{answer} ({target}) was true of {true} of the {n} patients tested. Where it is rarer or more common, the same "
        "probability means something else.",
        "受试的 {n} 名患者中 {true} 名确为「{answer}」（{target}）。在更少见或更常见的人群中，同一概率的含义不同。",
    ),
    "limit.note": ("In the evaluation: {note}", "评估提示：{note}"),
    "note.strange_class": (
        "{count} case(s) are of the class {name}, which the model has never seen: it answers wrongly there.",
        "{count} 例属于类别 {name}，模型从未见过该类别，其回答必然错误。",
    ),
    "note.strange_grade": (
        "{count} case(s) of the grade {name}, which the model does not know, are left out.",
        "{count} 例属于模型不认识的级别 {name}，未计入。",
    ),
    "limit.probability": (
        "Probabilities and operating points hold for patients and scanners like those of the validation set. On other "
        "machines, ages or diseases they may be off.",
        "概率与阈值仅适用于与验证集相似的患者与设备。换用其他设备、年龄或疾病时可能有偏差。",
    ),
    "limit.weighted": (
        "In learning, rare answers counted for more than common ones, so their probabilities come out higher than they "
        "are common. What such answers meant on known patients shows by how much.",
        "学习时少见答案的权重高于常见答案，其概率会高于实际比例；偏差大小见同类回答在已知患者上的含义。",
    ),
    "limit.only_asked": (
        "It answers what stands here and looks for nothing else: silence on anything else means nothing.",
        "模型只回答此处所列问题，不检查其他任何内容；未提及不代表正常。",
    ),
    "limit.this_answer": (
        "Scores are means over patients. They do not say that this case was read well: look at the picture.",
        "各项得分为患者均值，不能说明本例判读正确：请核对图像。",
    ),
    "origin.answers": ("Answers and probabilities", "回答与概率"),
    "origin.points": ("Operating points and intervals", "阈值与区间"),
    "reading.size": ("Size that the network sees", "网络所见大小"),
    "reading.pixels": ("{size} pixels", "{size} 像素"),
    "pictures.planar": ("The picture that was read", "所读图像"),
    "pictures.note_answers": ("Smoothed for display; nothing is outlined.", "显示时经插值平滑；未作勾画。"),
    # the page that is printed
    "pdf.page": ("Page {page} of {pages}", "第 {page} / {pages} 页"),
    "pdf.plot": ("Plot: {heading}", "图：{heading}"),
    # measures
    "score.auc": ("Area under the ROC curve (AUC)", "ROC 曲线下面积（AUC）"),
    "score.average_precision": ("Average precision", "平均精确率"),
    "score.accuracy": ("Accuracy", "准确率"),
    "score.balanced_accuracy": ("Balanced accuracy", "平衡准确率"),
    "score.sensitivity": ("Sensitivity", "灵敏度"),
    "score.specificity": ("Specificity", "特异度"),
    "score.f1": ("F1", "F1 值"),
    "score.brier": ("Brier score", "Brier 评分"),
    "score.log_loss": ("Log loss", "对数损失"),
    "score.calibration_error": ("Calibration error (ECE)", "校准误差（ECE）"),
    "score.quadratic_kappa": ("Agreement on grades (quadratic κ)", "分级一致性（二次加权 κ）"),
    "score.off_by_one": ("At most one grade off", "相差不超过一级"),
    "score.mae": ("Mean error, sign left out (MAE)", "平均绝对误差（MAE）"),
    "score.rmse": ("Root of the mean squared error (RMSE)", "均方根误差（RMSE）"),
    "score.r2": ("Share of the spread explained (R²)", "可解释的变异比例（R²）"),
    "score.bias": ("Mean error with its sign", "平均误差（带符号）"),
    "score.coverage": ("Intervals that held the truth", "区间包含真值的比例"),
    "scores.at_least": ("at least {grade}", "不低于 {grade}"),
    "scores.below": ("{fact} = below {value}", "{fact} = 低于 {value}"),
    "scores.from": ("{fact} = from {value}", "{fact} = {value} 及以上"),
    "scores.above": ("{fact} = {value} and above", "{fact} = {value} 及以上"),
    "scores.range": ("{fact} = {low} to {high}", "{fact} = {low} 至 {high}"),
    "score.agreement_low": ("Limits of agreement, lower", "一致性界限（下限）"),
    "score.agreement_high": ("Limits of agreement, upper", "一致性界限（上限）"),
    # a run's curves
    "curve.auc": ("AUC on validation patients", "验证患者 AUC"),
    "curve.mae": ("Mean error on validation patients (MAE)", "验证患者平均绝对误差（MAE）"),
    "curve.quadratic_kappa": ("Agreement on grades of validation patients (κ)", "验证患者分级一致性（κ）"),
    "run.watching_cases": (
        "Curves of validation measures are for watching: taken on {n} validation cases, with no interval. The scores "
        "below, once they are there, are what counts.",
        "验证曲线仅供观察：取自 {n} 例验证病例，不含区间。应以下方得分（若已有）为准。",
    ),
    "run.watching": (
        "Curves of validation measures are for watching: taken on some validation cases, with no interval. The scores "
        "below, once they are there, are what counts.",
        "验证曲线仅供观察：取自部分验证病例，不含区间。应以下方得分（若已有）为准。",
    ),
    # two runs side by side
    "diff.title": ("Two runs side by side", "两次运行对照"),
    "diff.asked": ("What was asked otherwise", "配方的不同之处"),
    "diff.decided": ("What was decided otherwise", "方案的不同之处"),
    "diff.same": ("Nothing.", "没有不同。"),
    "diff.scores": ("Scores on the validation patients", "验证患者得分"),
    "diff.one_version": ("Both learnt from the same version of the data.", "两者使用同一版本的数据。"),
    "diff.two_versions": (
        "They learnt from different versions of the data: their scores are of different patients and cannot be "
        "compared.",
        "两者使用不同版本的数据：得分来自不同患者，不可比较。",
    ),
    "diff.overlap": (
        "Intervals that overlap do not say that two runs are alike, nor do intervals apart of one another come from a "
        "test of the difference.",
        "区间重叠不代表两次运行相同；区间不重叠也不等于对差异的检验。",
    ),
    "diff.curves": ("Curves", "曲线"),
    "diff.run": ("Run", "运行"),
}
