"""Scales, ticks and whole plots."""

from __future__ import annotations

import re
import unittest
from xml.etree import ElementTree

from benchmark.plots import comparison_plot, growth_plot
from benchmark.svg import MARKERS, Drawing, Scale, linear_ticks, logarithmic_ticks

from .fixtures import complete_results, results

SVG = "{http://www.w3.org/2000/svg}"


class ScaleTests(unittest.TestCase):
    def test_places(self) -> None:
        linear = Scale(0, 10, 100, 200)
        self.assertEqual([linear.place(value) for value in (0, 5, 10)], [100, 150, 200])
        logarithmic = Scale(1, 100, 50, 0, is_logarithmic=True)
        self.assertEqual([logarithmic.place(value) for value in (1, 10, 100)], [50, 25, 0])

    def test_linear_ticks_reach_the_greatest_value(self) -> None:
        self.assertEqual(linear_ticks(1.0, 4), [0, 0.25, 0.5, 0.75, 1.0])
        self.assertEqual(linear_ticks(7, 5), [0, 2, 4, 6, 8])
        self.assertEqual(linear_ticks(0), [0, 1])
        for high in (0.013, 0.9, 3, 4711, 10_000):
            ticks = linear_ticks(high)
            self.assertGreaterEqual(ticks[-1], high * (1 - 1e-6))
            self.assertLessEqual(len(ticks), 7)

    def test_logarithmic_ticks_enclose_the_values(self) -> None:
        self.assertEqual(logarithmic_ticks(3, 40), [2, 5, 10, 20, 50])
        self.assertEqual(logarithmic_ticks(1, 20_000), [1, 10, 100, 1000, 10_000, 100_000])
        self.assertEqual(logarithmic_ticks(10, 10), [10])


class DrawingTests(unittest.TestCase):
    def test_text_is_escaped(self) -> None:
        drawing = Drawing(10, 10, "a < b", "c & d")
        drawing.text(1, 2, "<script>", font_weight="600")
        root = ElementTree.fromstring(drawing.render())
        texts = [element.text for element in root]
        self.assertEqual(texts, ["a < b", "c & d", "<script>"])

    def test_every_marker_can_be_drawn(self) -> None:
        drawing = Drawing(10, 10, "", "")
        for marker in MARKERS:
            drawing.marker(5, 5, marker, "#000000")
        self.assertEqual(len(ElementTree.fromstring(drawing.render())), 2 + len(MARKERS))


class PlotTests(unittest.TestCase):
    def check(self, text: str | None) -> ElementTree.Element:
        """Everything is inside the drawing, and it says which command made it."""
        assert text is not None
        root = ElementTree.fromstring(text)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for element in root:
            for name in ("x", "x1", "x2"):
                self.assertTrue(0 <= float(element.attrib.get(name, 0)) <= width, ElementTree.tostring(element))
            for name in ("y", "y1", "y2"):
                self.assertTrue(0 <= float(element.attrib.get(name, 0)) <= height, ElementTree.tostring(element))
        said = [element.text for element in root.iter(f"{SVG}text")]
        self.assertIn("Tests/Benchmarks/run.sh --only 'a|b'", said)
        self.assertNotIn(None, said)
        # Neither black on dark nor white on light can be read.
        self.assertIsNone(re.search(r"#000000|#ffffff|black|white", text))
        return root

    def test_bars_are_as_long_as_the_medians(self) -> None:
        root = self.check(comparison_plot(complete_results()))
        bars = [float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect")]
        self.assertAlmostEqual(bars[1] / bars[0], 0.82, places=2)
        said = [element.text for element in root.iter(f"{SVG}text")]
        self.assertEqual(said.count("0.82×"), 2)
        self.assertNotIn("the sidecar-dual", said)

    def test_curves(self) -> None:
        root = self.check(growth_plot(complete_results()))
        self.assertEqual(len(list(root.iter(f"{SVG}polyline"))), 4 + 2)

    def test_without_measurements_there_is_no_plot(self) -> None:
        self.assertIsNone(comparison_plot(results([])))
        self.assertIsNone(growth_plot(results([])))
