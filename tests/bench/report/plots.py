"""Draws the plots of the report: ``plots.py RESULTS FOLDER`` reads ``*.json`` there and writes ``*.svg`` here.

The same results give the same bytes: no date, no random names, and text that stays text.
"""

import io
import json
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

LANGUAGES = {
    "python": ("Python", "seal", "open"),
    "node": ("Node.js", "seal", "open"),
    "wasm": ("WebAssembly", "seal", "open"),
    "rust": ("Rust", "seal a struct", "open to a struct"),
    "go": ("Go", "seal a struct", "open to a struct"),
}
"""By name of the file: title, and the two jobs that are drawn."""

PAYLOADS = [
    (64, "fields"),
    (256, "fields"),
    (1 << 10, "fields"),
    (1 << 14, "fields"),
    (1 << 14, "blob"),
    (1 << 20, "fields"),
    (1 << 20, "blob"),
]
VARIANTS = [("ascii", "#0b7285"), ("unicode", "#3bc9db"), ("escapes", "#adb5bd")]
COLOURS = ["#0b7285", "#2b8a3e", "#8ce99a", "#e8590c", "#74c0fc"]
OWN = "#0b7285"
PEERS = ["#e8590c", "#845ef7", "#868e96", "#2b8a3e"]
INK = "#343a40"
PALE = "#dee2e6"

STYLE = {
    "svg.hashsalt": "cardseal",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#adb5bd",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def main(results, folder):
    mpl.rcParams.update(STYLE)
    folder.mkdir(parents=True)
    rows = {name: json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["results"] for name in LANGUAGES}
    for name, (title, *jobs) in LANGUAGES.items():
        save(times(title, jobs, rows[name]), folder / f"{name}-time.svg")
        save(ratios(title, jobs, rows[name]), folder / f"{name}-ratio.svg")
    save(overview(rows), folder / "overview.svg")


def save(figure, file):
    """Write a figure, with fonts for those who lack the one that comes with matplotlib: Verdana is as wide."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    file.write_text(text.getvalue().replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif"), encoding="utf-8")


def times(title, jobs, rows):
    """Draw time against size, a line for each candidate: what is made of fields, and hollow what is a blob."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 4.1), sharey=True, layout="constrained")
    for panel, job in zip(panels, jobs, strict=True):
        chosen = [row for row in rows if row["job"] == job and row["variant"] == "ascii"]
        names = ["cardseal", *chosen[0]["peers"]]
        for name, colour in reversed(list(zip(names, [OWN, *PEERS], strict=False))):
            for shape, line, face in (("fields", "-", colour), ("blob", ":", "white")):
                points = sorted((row["size"], time_of(row, name)) for row in chosen if row["shape"] == shape)
                panel.loglog(
                    *zip(*points, strict=True),
                    line,
                    color=colour,
                    marker="o",
                    markersize=4.5,
                    markerfacecolor=face,
                    linewidth=2.2 if name == "cardseal" else 1.3,
                    label=name if shape == "fields" else None,
                )
        panel.set_title(f"{title}: {job}")
        panel.xaxis.set_major_locator(FixedLocator([64, 256, 1 << 10, 1 << 14, 1 << 20]))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda size, _: size_name(int(size))))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda nanos, _: time_name(nanos)))
        panel.yaxis.set_minor_locator(NullLocator())
    panels[0].set_ylabel("time for one call")
    handles, labels = panels[0].get_legend_handles_labels()
    handles.insert(0, plt.Line2D([], [], color=INK, linestyle=":", marker="o", markersize=4.5, markerfacecolor="white"))
    legend(figure, handles[::-1], ["one long string (blob)", *labels][::-1], columns=3)
    return figure


def ratios(title, jobs, rows):
    """Draw the best peer's time by cardseal's as bars, for each payload one a variant."""
    series = [
        [(variant, colour, [best(rows, job, payload, variant) for payload in PAYLOADS]) for variant, colour in VARIANTS]
        for job in jobs
    ]
    return bars([f"{title}: {job}" for job in jobs], series)


def overview(rows):
    """Draw the same for all languages at once: sealing and opening, ASCII."""
    series = [
        [
            (title, colour, [best(rows[name], jobs[index], payload, "ascii") for payload in PAYLOADS])
            for (name, (title, *jobs)), colour in zip(LANGUAGES.items(), COLOURS, strict=True)
        ]
        for index in (0, 1)
    ]
    return bars(["seal", "open"], series)


def bars(titles, panels_of_series):
    """Draw groups of bars from 1, where the best peer is: upwards where cardseal is faster."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for panel, title, series in zip(panels, titles, panels_of_series, strict=True):
        width = 0.82 / len(series)
        for index, (label, colour, values) in enumerate(series):
            places = [group + (index - (len(series) - 1) / 2) * width for group in range(len(values))]
            panel.bar(places, [value - 1 for value in values], width * 0.92, bottom=1, color=colour, label=label)
        panel.axhline(1, color=INK, linewidth=1)
        panel.set_yscale("log", base=2)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
        panel.set_xticks(range(len(PAYLOADS)), [f"{size_name(size)}\n{shape}" for size, shape in PAYLOADS])
        panel.tick_params(axis="x", length=0, labelsize=8)
        panel.grid(visible=False, axis="x")
        panel.set_title(title)
    panels[0].set_ylabel("best peer's time / cardseal's")
    legend(figure, *panels[0].get_legend_handles_labels(), columns=5)
    return figure


def legend(figure, handles, labels, columns):
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def best(rows, job, payload, variant):
    """Give the least ratio of all peers."""
    wanted = (job, *payload, variant)
    row = next(row for row in rows if (row["job"], row["size"], row["shape"], row["variant"]) == wanted)
    return min(peer["ratio"] for peer in row["peers"].values())


def time_of(row, name):
    return row["cardseal_ns"] if name == "cardseal" else row["peers"][name]["ns"]


def size_name(size):
    for unit, bytes_of in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= bytes_of:
            return f"{size // bytes_of} {unit}"
    return f"{size} B"


def time_name(nanos):
    for unit, nanos_of in (("ms", 1e6), ("µs", 1e3)):
        if nanos >= nanos_of:
            return f"{nanos / nanos_of:g} {unit}"
    return f"{nanos:g} ns"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
