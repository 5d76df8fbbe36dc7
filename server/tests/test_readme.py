"""The README's walk by hand, as it is printed there (TLS-04)."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from serving import serving

README = Path(__file__).parent.parent / "README.md"


def shell_blocks(chapter: str) -> str:
    """All commands of a chapter, in order."""
    text = README.read_text("utf-8").partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


@pytest.mark.requirement("SRV-25", "TLS-04")
def test_every_endpoint_can_be_asked_by_hand_as_the_readme_shows(tmp_path: Path) -> None:
    with serving(tmp_path, sign_up=None) as server:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"server={server.url}\n{shell_blocks('By hand')}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    taken, pinged, *asked = json_values(done.stdout)
    assert taken == {"success": True, "inserted": 1, "skipped": 0}
    assert pinged["success"] is True
    summary, daily, hourly, monthly, heatmap, breakdown, board, settings, devices = asked[:9]
    assert summary["totals"]["total_cost_usd"] == "8.435000"
    assert [day["total_tokens"] for day in daily["data"]] == ["0", "0", "1500000", "0", "0"]
    assert len(hourly["data"]) == 24
    assert [month["total_tokens"] for month in monthly["data"]] == ["0", "0", "1500000"]
    assert len(heatmap["weeks"]) == 4
    assert breakdown["sources"][0]["models"][0]["model"] == "gpt-5.2-codex"
    assert board["me"] == {"rank": 1, "total_tokens": "1500000"}
    assert settings["leaderboard_public"] is False
    assert devices["devices"][0]["device_name"] == "laptop"
    assert [line["type"] for line in asked[9:]] == ["user", "settings", "device", "usage"]


def json_values(text: str) -> list[Any]:
    """All JSON values that were printed one after the other."""
    decoder, values = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values
