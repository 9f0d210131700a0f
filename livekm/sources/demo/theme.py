"""The demo's two streets: an avenue at noon and a country road at sunset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from livekm.sources.demo.perspective import Color, bgr


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours and kind of a street."""

    kind: Literal["avenue", "country"]
    sky: tuple[Color, Color, Color]  # zenith, middle, horizon
    sun: Color
    sun_place: tuple[float, float, float]  # x, y and radius, in shares of width, height, height
    cloud: tuple[Color, Color]  # lit, shaded
    far: tuple[Color, Color]  # the skyline's or ridges' colours, far to near
    haze: Color
    road: Color
    paint: Color
    edge: Color  # kerb or shoulder
    verge: tuple[Color, Color]
    shadow: Color  # of a car, on the road
    shade: Color  # of a tree, on the pavement
    leaves: tuple[Color, Color]  # lit, shaded
    trunk: Color
    fence: Color
    walls: tuple[Color, ...]
    window: Color
    cars: tuple[Color, ...]
    lights_on: bool
    speed: float  # metres a second


AVENUE = Theme(
    kind="avenue",
    sky=(bgr("#2f7fd6"), bgr("#6fb2ec"), bgr("#cfe6f5")),
    sun=bgr("#fff6cf"),
    sun_place=(0.77, 0.13, 0.055),
    cloud=(bgr("#fbfdff"), bgr("#d3e2f0")),
    far=(bgr("#a9c4dc"), bgr("#8aa9c6")),
    haze=bgr("#c4dbec"),
    road=bgr("#5a5f68"),
    paint=bgr("#f2f0e6"),
    edge=bgr("#b9b4aa"),
    verge=(bgr("#8a9a5b"), bgr("#7f9052")),
    shadow=bgr("#3d4149"),
    shade=bgr("#8f8b80"),
    leaves=(bgr("#4f9d4b"), bgr("#35793c")),
    trunk=bgr("#6b4a35"),
    fence=bgr("#6b4a35"),
    walls=tuple(map(bgr, ("#c8694a", "#e3c08a", "#d9d2c3", "#a8553f", "#8f9fb0", "#e0a867"))),
    window=bgr("#33475c"),
    cars=tuple(map(bgr, ("#1f6fb2", "#f4b41a", "#f2f4f5", "#d7263d", "#2a9d8f", "#e76f51"))),
    lights_on=False,
    speed=13.0,
)

COUNTRY = Theme(
    kind="country",
    sky=(bgr("#3b2a63"), bgr("#c8557a"), bgr("#ffc777")),
    sun=bgr("#fff0b3"),
    sun_place=(0.40, 0.445, 0.11),
    cloud=(bgr("#f58f7c"), bgr("#b9557e")),
    far=(bgr("#8d4a86"), bgr("#5c3a78")),
    haze=bgr("#c9728a"),
    road=bgr("#41384f"),
    paint=bgr("#ffe0b0"),
    edge=bgr("#8b6a6e"),
    verge=(bgr("#4c5f3e"), bgr("#435637")),
    shadow=bgr("#292336"),
    shade=bgr("#292336"),
    leaves=(bgr("#25503f"), bgr("#183a33")),
    trunk=bgr("#3a2530"),
    fence=bgr("#6e4a4f"),
    walls=(),
    window=bgr("#2b2440"),
    cars=tuple(map(bgr, ("#e8e1dc", "#b3203f", "#2f5d9b", "#e0902f", "#1f8a86", "#7a3f8f"))),
    lights_on=True,
    speed=18.0,
)
