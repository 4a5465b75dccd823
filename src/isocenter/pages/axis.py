"""Round numbers along an axis."""

import math

_NOTHING = 1e-10  # what rounding leaves of a zero


def ticks(low: float, high: float, *, count: int = 4) -> tuple[float, ...]:
    """Return about `count` + 1 round numbers that enclose low..high, evenly spaced, rising.

    Steps are 1, 2, 2.5 or 5 times a power of ten.
    """
    if not high - low > max(_NOTHING, 1e-9 * abs(high)):  # a spread of rounding errors alone is none
        room = abs(low) * 0.1 if abs(low) > _NOTHING else 1.0
        low, high = low - room, high + room
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(place * step, 12) for place in range(first, last + 1))


def short(value: float) -> str:
    """Return a tick's number in few characters, such as "0.85", "12 000" or "3e-4"."""
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.2g}".replace("e-0", "e-").replace("e+0", "e")
    text = f"{value:,.6f}".rstrip("0").rstrip(".").replace(",", "\u202f")
    return text.replace("-", "\u2212")
