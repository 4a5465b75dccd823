"""What the documentation tells a stranger, who has no isocenter, is enough: the oracle of our own walk."""

import re
import subprocess
import sys
from pathlib import Path

from tests.store.conftest import World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "verify-without-isocenter.md"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's script on a folder, in an interpreter that cannot find isocenter's code by its folder."""
    (script,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert "isocenter" not in script
    return subprocess.run([sys.executable, "-I", "-c", script, folder], capture_output=True, text=True, check=False)


def test_a_stranger_checks_a_folder_by_the_page_alone(whole: World) -> None:
    ended = check(whole.out)
    assert ended.stdout.splitlines() == [f"signed by {whole.store.keys.public.id}", "holds: 5 receipts"], ended.stderr


def test_a_stranger_finds_what_was_changed(world: World) -> None:
    for name in ("mask.nii.gz", "prediction.json", f"receipts/{world.train}.json"):
        sound = (world.out / name).read_bytes()
        changed = bytearray(sound)
        changed[len(sound) // 2] ^= 1
        (world.out / name).write_bytes(bytes(changed))
        assert check(world.out).returncode != 0, name
        (world.out / name).write_bytes(sound)
    assert check(world.out).returncode == 0
