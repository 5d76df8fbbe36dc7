"""Draw the terminal pictures of the documentation from what the program really prints.

.venv/bin/python docs/pictures/draw.py     writes docs/pictures/*.svg, from the sample logs
"""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURES = {
    "report": (104, ["sync --offline", "report"]),
    "report-daily": (148, ["report daily"]),
    "report-weekly": (104, ["report weekly"]),
    "report-monthly": (104, ["report monthly"]),
    "report-hourly": (104, ["report hourly --since 2d --timezone Europe/Berlin"]),
    "report-models": (112, ["report models --since 7d"]),
    "report-sources": (104, ["report sources"]),
    "report-narrow": (60, ["report models"]),
    "prices": (104, ["prices gpt-5.2"]),
}
"""By name: the columns of the terminal, and what is typed there."""
TEMPLATE = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{
font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }} {styles}</style>
<defs>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="#0b0f0c"/>
<g transform="translate(9, 9)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def main() -> None:
    """Run each picture's commands on a terminal of its own and draw what stands there."""
    with tempfile.TemporaryDirectory() as scratch:
        logs = Path(scratch, "logs")
        corpus = [sys.executable, str(ROOT / "bench/corpus.py"), "demo", str(logs)]
        subprocess.run(corpus, check=True, stdout=subprocess.DEVNULL)
        env = {
            **os.environ,
            "HOME": scratch,
            "VIBESCORE_HOME": str(Path(scratch, ".vibescore")),
            "CODEX_HOME": str(logs / ".codex"),
            "CODE_HOME": str(logs / ".code"),
            "GEMINI_HOME": str(logs / ".gemini"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
        }
        for name, (columns, commands) in PICTURES.items():
            console = Console(record=True, width=columns, file=io.StringIO())
            for command in commands:
                console.print(Text.from_markup(f"[bold green]$[/] vibescore {command}"))
                printed = on_terminal(["vibescore", *command.split()], env, columns=columns)
                console.print(Text.from_ansi(printed), "")
            picture = console.export_svg(
                title="", theme=SVG_EXPORT_THEME, code_format=TEMPLATE, unique_id="vibescore"
            )
            (ROOT / f"docs/pictures/{name}.svg").write_text(picture, "utf-8")


def on_terminal(command: list[str], env: dict[str, str], *, columns: int) -> str:
    """What a command prints when somebody watches."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(command, env=env, stdout=follower, stderr=follower, stdin=follower):
        os.close(follower)
        printed = b""
        try:
            while more := os.read(leader, 65536):
                printed += more
        except OSError:
            pass  # Linux says end of file this way
    os.close(leader)
    return printed.decode().replace("\r\n", "\n").rstrip("\n")


main()
