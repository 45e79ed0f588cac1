"""The picture of the wall times."""

from pathlib import Path

from bench.figures import OPERATIONS, PULUMI, WAYS, Results
from bench.report import NAMES

_COLOURS = dict(zip(WAYS, ("#9aa5b1", "#52606d", "#7b42bc"), strict=True))


def draw(results: Results, path: Path) -> None:
    """Write the picture (SVG): a panel for each number of clusters, a bar for each way."""
    # What the measurements need alone (bench/requirements.txt).
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "bench", "font.size": 9})
    sizes = results.sizes()
    figure = Figure(figsize=(3.6 * len(sizes) + 1, 3.6), layout="constrained")
    for number, size in enumerate(sizes, start=1):
        axes = figure.add_subplot(1, len(sizes), number)
        labels, values, colours = [], [], []
        for operation in OPERATIONS:
            for way in WAYS:
                if results.those(size, way, operation):
                    labels.append(operation if way == PULUMI else f"{operation}: {NAMES[way]}")
                    values.append(results.median(size, way, operation))
                    colours.append(_COLOURS[way])
        bars = axes.barh(labels, values, color=colours)
        axes.bar_label(bars, fmt="%.1f", padding=2)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_title(f"{size} clusters, seconds")
        axes.spines[["top", "right"]].set_visible(False)
        if number > 1:
            axes.set_yticklabels([])
    figure.savefig(path, format="svg", metadata={"Date": None})
