"""Shares and spreads as small drawings: a bar with its interval, and a histogram."""

from collections.abc import Sequence

from markupsafe import Markup

from isocenter.pages.axis import short
from isocenter.result.score import Score

_WIDTH, _HEIGHT = 180.0, 14.0
_TALL = 60.0


def share_bar(share: Score, *, stated: float | None = None) -> Markup:
    """Return a bar from 0 to 1 with the interval as a line, and a mark where a stated share lies."""
    middle = _HEIGHT / 2
    parts = [
        Markup('<rect class="ground" x="0" y="3" width="{:.1f}" height="8"/>').format(_WIDTH),
        Markup('<rect class="share" x="0" y="3" width="{:.1f}" height="8"/>').format(_WIDTH * share.value),
        Markup('<line class="interval" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            _WIDTH * share.low, middle, _WIDTH * share.high, middle
        ),
    ]
    if stated is not None:
        place = _WIDTH * stated
        parts.append(Markup('<line class="stated" x1="{0:.1f}" y1="0" x2="{0:.1f}" y2="14"/>').format(place))
    return _svg(_HEIGHT, parts)


def histogram(edges: Sequence[float], counts: Sequence[int]) -> Markup:
    """Return columns of counts, with the ends of their scale below."""
    most, step = max(max(counts), 1), _WIDTH * 2 / len(counts)
    parts = [
        Markup('<rect class="share" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            place * step, _TALL * (1 - count / most), step - 1, _TALL * count / most
        )
        for place, count in enumerate(counts)
    ]
    ends = (("start", 0.0, edges[0]), ("end", _WIDTH * 2, edges[-1]))
    parts += [
        Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, _TALL + 14, anchor, short(value))
        for anchor, x, value in ends
    ]
    return _svg(_TALL + 18, parts, width=_WIDTH * 2)


def _svg(height: float, parts: Sequence[Markup], *, width: float = _WIDTH) -> Markup:
    return Markup('<svg class="small" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}">{2}</svg>').format(
        width, height, Markup("").join(parts)
    )
