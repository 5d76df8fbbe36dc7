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
COLUMNS = 92
PICTURES = {"report": [["sync", "--offline"], ["report"]]}
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
            "VIBESCORE_HOME": str(Path(scratch, "home")),
            "CODEX_HOME": str(logs / ".codex"),
            "GEMINI_HOME": str(logs / ".gemini"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
        }
        for name, commands in PICTURES.items():
            console = Console(record=True, width=COLUMNS, file=io.StringIO())
            for command in commands:
                console.print(Text.from_markup("[bold green]$[/] vibescore " + " ".join(command)))
                console.print(Text.from_ansi(on_terminal(["vibescore", *command], env)), "")
            picture = console.export_svg(
                title="", theme=SVG_EXPORT_THEME, code_format=TEMPLATE, unique_id="vibescore"
            )
            (ROOT / f"docs/pictures/{name}.svg").write_text(picture, "utf-8")


def on_terminal(command: list[str], env: dict[str, str]) -> str:
    """What a command prints when somebody watches."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
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
