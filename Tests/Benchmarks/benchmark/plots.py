"""The plots of a run: throughput beside direct, and how cost grows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from . import targets
from .curves import Curve
from .results import Comparison, Results, compare
from .scrapes import ScrapeCost
from .svg import GREY, MARKERS, Drawing, Scale, linear_ticks, logarithmic_ticks

WIDTH = 1060
MARGIN = 24
BAR_HEIGHT = 14
BAR_PITCH = 19
# Left of the bars there is room for the targets' titles, and right of them for figures.
BARS_LEFT = 340
BARS_WIDTH = 270
COSTS_LEFT = 730
PANEL_WIDTH = 480
PANEL_HEIGHT = 250

# The loads that the first plot shows, if they were measured.
SHOWN = ("set-c50-p1-16B", "get-c50-p1-16B", "set-c50-p16-16B", "get-c50-p16-16B")

_COLORS = {
    targets.DIRECT: GREY,
    targets.SIDECAR_OFF: "#2f81d6",
    targets.SIDECAR_DUAL: "#2da160",
    targets.TWEMPROXY: "#c98a1b",
    targets.ENVOY: "#a06cd5",
    targets.ENVOY_MIRROR: "#a06cd5",
}
_OTHER_STATES_COLOR = "#3aa0a8"


def color(target: str) -> str:
    """A target's colour; the sidecar's other states share one."""
    return _COLORS.get(target, _OTHER_STATES_COLOR)


def comparison_plot(results: Results) -> str | None:
    """Bars for throughput and processor time of each target; None if there is nothing to show."""
    panels = [(cell.title, compare(cell)) for name in SHOWN if (cell := results.cell(name))]
    panels = [(title, comparisons) for title, comparisons in panels if len(comparisons) > 1]
    if not panels:
        return None
    heights = [64 + BAR_PITCH * len(comparisons) for _, comparisons in panels]
    title = "What a proxy costs: throughput and processor time"
    drawing = Drawing(WIDTH, 104 + sum(heights), title, _conditions(results))
    drawing.text(MARGIN, 26, title, 15, font_weight="600")
    drawing.text(BARS_LEFT, 48, "commands/s as a share of direct, same round", 12)
    drawing.text(BARS_LEFT, 64, f"bars: medians of {results.rounds} rounds, lines: least to greatest", 11)
    drawing.text(COSTS_LEFT, 48, "µs of the proxy's processor time for a command", 12)
    drawing.text(COSTS_LEFT, 64, "full colour: user, faint: system", 11)
    top = 64.0
    for (name, comparisons), height in zip(panels, heights, strict=True):
        _bars(drawing, top, name, comparisons)
        _costs(drawing, top, comparisons)
        top += height
    _caption(drawing, results)
    return drawing.render()


def _bars(drawing: Drawing, top: float, title: str, comparisons: list[Comparison]) -> None:
    """The targets' titles and throughputs."""
    ticks = linear_ticks(max(1.0, *(comparison.ratio.high for comparison in comparisons)), 4)
    scale = Scale(0, ticks[-1], BARS_LEFT, BARS_LEFT + BARS_WIDTH)
    drawing.text(MARGIN, top + 16, title, 13, font_weight="600")
    _grid(drawing, top, scale, ticks, len(comparisons), "×")
    for y, comparison in _places(top, comparisons):
        middle = y + BAR_HEIGHT / 2
        value = comparison.ratio
        drawing.text(BARS_LEFT - 8, middle + 4, comparison.title, 12, "end")
        drawing.bar(BARS_LEFT, y, scale.place(value.median) - BARS_LEFT, BAR_HEIGHT, color(comparison.target))
        if comparison.target != targets.DIRECT:
            low, high = scale.place(value.low), scale.place(value.high)
            drawing.line(low, middle, high, middle, width=2)
            for end in (low, high):
                drawing.line(end, middle - 4, end, middle + 4, width=2)
        drawing.text(scale.place(value.high) + 8, middle + 4, f"{value.median:.2f}×", 12)


def _costs(drawing: Drawing, top: float, comparisons: list[Comparison]) -> None:
    """The proxies' processor time."""
    ticks = linear_ticks(max(comparison.user + comparison.system for comparison in comparisons), 4)
    scale = Scale(0, ticks[-1], COSTS_LEFT, COSTS_LEFT + BARS_WIDTH)
    _grid(drawing, top, scale, ticks, len(comparisons), "")
    for y, comparison in _places(top, comparisons):
        if comparison.target == targets.DIRECT:
            continue
        total = comparison.user + comparison.system
        user, end = scale.place(comparison.user), scale.place(total)
        drawing.bar(COSTS_LEFT, y, user - COSTS_LEFT, BAR_HEIGHT, color(comparison.target))
        drawing.bar(user, y, end - user, BAR_HEIGHT, color(comparison.target), opacity=0.55)
        drawing.text(end + 8, y + BAR_HEIGHT / 2 + 4, f"{total:.2f}", 12)


def _places(top: float, comparisons: list[Comparison]) -> list[tuple[float, Comparison]]:
    return [(top + 26 + BAR_PITCH * number, comparison) for number, comparison in enumerate(comparisons)]


def _grid(drawing: Drawing, top: float, scale: Scale, ticks: list[float], rows: int, unit: str) -> None:
    bottom = top + 26 + BAR_PITCH * rows
    for tick in ticks:
        drawing.line(scale.place(tick), top + 22, scale.place(tick), bottom, opacity=0.3)
        drawing.text(scale.place(tick), bottom + 14, f"{tick:g}{unit}", 11, "middle")


def growth_plot(results: Results) -> str | None:
    """A panel for each curve; None if there is none."""
    panels: list[Callable[[Drawing, float, float], None]] = []
    for curve in results.curves:
        if curve.costs(targets.SIDECAR_OFF):
            panels.append(partial(_curve, curve))
    scrapes = [cost for cost in results.scrapes if not cost.problem and cost.p99_with]
    if scrapes:
        panels.append(partial(_scrapes, scrapes))
    if not panels:
        return None
    rows = (len(panels) + 1) // 2
    title = "Processor time of the proxy for a command"
    drawing = Drawing(WIDTH, 112 + rows * (PANEL_HEIGHT + 20), title, _conditions(results))
    drawing.text(MARGIN, 26, title, 15, font_weight="600")
    _legend(drawing, 50)
    for number, panel in enumerate(panels):
        panel(drawing, MARGIN + (number % 2) * (PANEL_WIDTH + 40), 64.0 + (number // 2) * (PANEL_HEIGHT + 20))
    _caption(drawing, results)
    return drawing.render()


_LINES = {
    targets.SIDECAR_OFF: "sidecar, flags off",
    targets.SIDECAR_DUAL: "sidecar, dual write",
    targets.TWEMPROXY: "twemproxy",
    targets.ENVOY: "Envoy",
}


def _legend(drawing: Drawing, y: float) -> None:
    for number, (target, title) in enumerate(_LINES.items()):
        x = MARGIN + 8 + 190 * number
        drawing.marker(x, y - 4, MARKERS[number], color(target))
        drawing.text(x + 12, y, title)


def _curve(curve: Curve, drawing: Drawing, left: float, top: float) -> None:
    lines = {target: curve.costs(target) for target in _LINES}
    costs = [cost for pairs in lines.values() for _, cost in pairs]
    across = _frame(drawing, left, top, f"µs for a command, by {curve.title}", curve.points, curve.texts)
    up = _vertical(drawing, left, top, logarithmic_ticks(min(costs), max(costs)), lambda tick: f"{tick:g}")
    for number, target in enumerate(_LINES):
        places = [(across.place(point), up.place(cost)) for point, cost in lines[target]]
        drawing.polyline(places, color(target))
        for x, y in places:
            drawing.marker(x, y, MARKERS[number], color(target))


def _scrapes(scrapes: list[ScrapeCost], drawing: Drawing, left: float, top: float) -> None:
    points = [cost.series for cost in scrapes]
    title = "p99 of 50 clients, without (●) and with (■) a scrape every second, by series"
    across = _frame(drawing, left, top, title, points, [str(point) for point in points])
    without = [median(cost.p99_without) for cost in scrapes]
    scraped = [median(cost.p99_with) for cost in scrapes]
    ticks = linear_ticks(max(*without, *scraped))
    up = _vertical(drawing, left, top, ticks, lambda tick: f"{tick / 1000:g} ms", is_logarithmic=False)
    for values, marker in ((without, "circle"), (scraped, "square")):
        tint = GREY if marker == "circle" else color(targets.SIDECAR_OFF)
        places = [(across.place(point), up.place(value)) for point, value in zip(points, values, strict=True)]
        drawing.polyline(places, tint)
        for x, y in places:
            drawing.marker(x, y, marker, tint)


def _frame(drawing: Drawing, left: float, top: float, title: str, points: list[int], texts: list[str]) -> Scale:
    """The title and the horizontal axis of a panel, whose ticks are its points."""
    drawing.text(left, top + 14, title, 12, font_weight="600")
    low, high = points[0], points[-1] if points[-1] > points[0] else points[0] * 2
    across = Scale(low, high, left + 64, left + PANEL_WIDTH - 20, is_logarithmic=True)
    for point, text in zip(points, texts, strict=True):
        drawing.line(across.place(point), top + 26, across.place(point), top + PANEL_HEIGHT - 30, opacity=0.3)
        drawing.text(across.place(point), top + PANEL_HEIGHT - 14, text, 11, "middle")
    return across


def _vertical(
    drawing: Drawing,
    left: float,
    top: float,
    ticks: list[float],
    text: Callable[[float], str],
    is_logarithmic: bool = True,
) -> Scale:
    high = ticks[-1] if ticks[-1] > ticks[0] else ticks[0] * 2
    up = Scale(ticks[0], high, top + PANEL_HEIGHT - 30, top + 26, is_logarithmic)
    for tick in ticks:
        drawing.line(left + 64, up.place(tick), left + PANEL_WIDTH - 20, up.place(tick), opacity=0.3)
        drawing.text(left + 58, up.place(tick) + 4, text(tick), 11, "end")
    return up


def _conditions(results: Results) -> str:
    return f"{results.machine.processor}, {results.machine.cores} cores · {results.started}"


def _caption(drawing: Drawing, results: Results) -> None:
    """The command that made the plot, and where and when."""
    drawing.text(MARGIN, drawing.height - 24, results.command, 11, font_family="ui-monospace, monospace")
    drawing.text(MARGIN, drawing.height - 8, _conditions(results), 11)
