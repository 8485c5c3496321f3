"""Draws what `bench/run.sh --peers --json FILE` measured, as SVG files: python3 bench/plot.py FILE DIR."""

import json
import pathlib
import statistics
import sys
from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Chart:
    file: str
    title: str
    unit: str  # of the figure, as in the table
    placement: str
    digits: int


CHARTS = [
    Chart("cpu.svg", "Server CPU time per operation, in µs, on one core (less is better)", "server us/op", "one core", 2),
    Chart("rate.svg", "Operations per second, in thousands, on two cores (more is better)", "k op/s", "two cores", 1),
    Chart("syscalls.svg", "System calls of the server per operation (less is better)", "syscalls/op", "one core", 2),
]

# By label of the table: the name in the chart, in the order of the chart.
LINSOCK = {"iocp": "linsock iocp", "iocp reuse": "linsock iocp reuse", "wsk": "linsock wsk", "rust": "linsock rust"}
PEERS = {"epoll": "epoll", "io_uring": "io_uring", "asio": "Asio", "tokio": "tokio", "compio": "compio", "wine": "Wine*"}
LOADS = ["echo 64 x 64 B", "echo 1 x 64 B", "echo 64 x 16 KiB", "cycle 64 x 64 B", "cycle 1 x 64 B"]
WINE = ("wine", "anywhere")  # can only be measured unpinned
NOTE = "echo: connections × size of a message, back and forth; cycle: a connection for each message (accept, echo, close)"
WINE_NOTE = "* three runs, neither pinned nor at real-time priority: its server process is not ours to place"

LEFT, COLUMN, BARS, NUMBER, TOP, ROW, BAR, GAP, MARGIN = 132, 164, 98, 142, 92, 22, 14, 12, 16
COLOURS = {
    "paper": "#ffffff", "frame": "#d0d7de", "text": "#1f2328", "faint": "#6e7781",
    "linsock": "#1f6feb", "peer": "#afb8c1", "whisker": "#24292f",
}
FONT = "-apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"


def collect(rows, chart):
    """By load and label: the values of all runs."""
    found = {}
    for row in rows:
        if row.get("figure") != chart.unit:
            continue
        values = found.setdefault(row["load"], {})
        for label, runs in (row["yardstick"] | row["under test"]).items():
            if row["placement"] == chart.placement or (label, row["placement"]) == WINE and chart.placement == "two cores":
                values[label] = runs
    return {load: found[load] for load in LOADS if "epoll" in found.get(load, {})}


def attributes(values):
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in values.items())


class Drawing:
    def __init__(self, width, height, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="{FONT}" font-size="12" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6" '
            f'fill="{COLOURS["paper"]}" stroke="{COLOURS["frame"]}"/>',
        ]

    def text(self, x, y, words, colour="text", **more):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{COLOURS[colour]}"{attributes(more)}>{escape(words)}</text>')

    def bar(self, x, y, width, colour):
        shown = max(width, 0.5)
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{shown:.1f}" height="{BAR}" fill="{COLOURS[colour]}"/>')

    def path(self, steps, **more):
        self.parts.append(f'<path d="{steps}" fill="none" stroke="{COLOURS["whisker"]}"{attributes(more)}/>')

    def write(self, file):
        file.write_text("\n".join([*self.parts, "</svg>\n"]))


def places(labels):
    """By label: the chart's name, the colour, and the y of its row. linsock's come first, then a gap, then the others."""
    rows, y = {}, TOP
    for names, colour in [(LINSOCK, "linsock"), (PEERS, "peer")]:
        for label, name in names.items():
            if label in labels:
                rows[label] = (name, colour, y)
                y += ROW
        y += GAP
    return rows, y - GAP


def column(drawing, chart, x, load, values, rows, bottom):
    """The bars of one load, each load with a scale of its own."""
    drawing.text(x, TOP - 14, load.replace(" x ", " × "), font_weight="600")
    scale = BARS / max(max(runs) for runs in values.values())
    at = x + statistics.median(values["epoll"]) * scale
    drawing.path(f"M{at:.1f} {TOP - 4}V{bottom}", stroke_dasharray="2 3", stroke_opacity="0.5")
    for label, (_, colour, y) in rows.items():
        if label not in values:
            drawing.text(x + NUMBER, y + BAR - 3, "–", "faint", text_anchor="end")
            continue
        middle, low, high = (of(values[label]) for of in (statistics.median, min, max))
        drawing.bar(x, y, middle * scale, colour)
        if low < high:
            centre = y + BAR / 2
            drawing.path(f"M{x + low * scale:.1f} {centre}H{x + high * scale:.1f}M{x + low * scale:.1f} {centre - 3}v6"
                         f"M{x + high * scale:.1f} {centre - 3}v6")
        drawing.text(x + NUMBER, y + BAR - 3, f"{middle:.{chart.digits}f}", text_anchor="end")


def draw_chart(chart, measured, directory):
    data = collect(measured["rows"], chart)
    if not data:
        return
    rows, bottom = places({label for values in data.values() for label in values})
    notes = [NOTE, *([WINE_NOTE] if "wine" in rows else [])]
    drawing = Drawing(LEFT + COLUMN * len(data), bottom + 12 + 18 * len(notes), chart.title)
    drawing.text(MARGIN, 28, chart.title, font_size="15", font_weight="600")
    facts = measured["machine"]
    several = any(len(values["epoll"]) > 1 for values in data.values())
    how = f"median of {facts['pairs']} runs, whiskers from least to most; " if several else ""
    drawing.text(MARGIN, 47, f"{how}dashed: epoll; {facts['kernel']}, {facts['processor']}, {facts['cores']} cores", "faint")
    for name, colour, y in rows.values():
        drawing.text(LEFT - 10, y + BAR - 3, name, text_anchor="end", **({"font_weight": "600"} if colour == "linsock" else {}))
    for n, (load, values) in enumerate(data.items()):
        column(drawing, chart, LEFT + COLUMN * n, load, values, rows, bottom)
    for n, note in enumerate(notes):
        drawing.text(MARGIN, bottom + 14 + 18 * n, note, "faint")
    drawing.write(directory / chart.file)
    print(f"{directory / chart.file}: {chart.title}")


def draw(measured, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for chart in CHARTS:
        draw_chart(chart, measured, directory)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python3 bench/plot.py FILE.json DIR")
    draw(json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2]))
