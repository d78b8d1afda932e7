"""What options of the command take: sizes, rates, frames, settings."""

from __future__ import annotations

import math
import re
from typing import Any

import click

from render.film.limits import SIDES

__all__ = ["CountType", "FramesType", "RateType", "SettingType", "SizeType"]


class SizeType(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Return width and height."""
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not WIDTHxHEIGHT in pixels, such as 1280x720.", param, ctx)
        size = int(width), int(height)
        least, most = SIDES
        if not all(least <= side <= most for side in size):
            self.fail(f"{value!r}: each side must be from {least} to {most} pixels.", param, ctx)
        return size


class RateType(click.FloatRange):
    """Frames a second."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the rate; nan is none."""
        rate: float = super().convert(value, param, ctx)
        if math.isnan(rate):
            self.fail(f"{value!r} is not a number of frames a second.", param, ctx)
        return rate


class CountType(click.IntRange):
    """How many."""

    name = "whole number"


class FramesType(click.ParamType[str]):
    """A:B as Python counts, or one frame's number."""

    name = "A:B"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the text, checked."""
        if not re.fullmatch(r"-?\d+|(-?\d+)?:(-?\d+)?", str(value)):
            self.fail(f"{value!r} is not A:B, such as 0:60, or one frame's number.", param, ctx)
        return str(value)


class SettingType(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        """Return the name and the value's text."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not NAME=VALUE, such as lr=0.1.", param, ctx)
        return name.strip(), text.strip()
