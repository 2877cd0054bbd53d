"""Tests of the benchmark itself: python3 -m unittest discover, in the folder above."""
