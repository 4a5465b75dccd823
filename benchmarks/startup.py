"""How long `isocenter --help` and `isocenter info` take as whole processes. Aim: under 0.3 s.

usage: python benchmarks/startup.py [RUNS]
"""

import shutil
import statistics
import subprocess
import sys
import time


def seconds(command: list[str]) -> float:
    """Return how long a command takes from start to exit."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print a Markdown row for each command: minimum, median and maximum after one warm-up."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    program = shutil.which("isocenter") or sys.executable.replace("python3", "isocenter").replace("python", "isocenter")
    print("| command | runs | min s | median s | max s |\n|---|---|---|---|---|")
    for words in (["--help"], ["info"], ["info", "--json"]):
        seconds([program, *words])
        took = [seconds([program, *words]) for _ in range(runs)]
        row = f"{min(took):.3f} | {statistics.median(took):.3f} | {max(took):.3f}"
        print(f"| isocenter {' '.join(words)} | {runs} | {row} |")


if __name__ == "__main__":
    main()
