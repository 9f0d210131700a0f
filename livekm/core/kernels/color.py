"""From BGR pixels to the planes of other colour spaces."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.compiler import LOOKED_UP, inline_jit, jit, look_up, scratch

COLOR_BLOCK = 256
_F = np.float32
_U = np.uint64


@inline_jit
def _light(pixels, start, n, channel, linear, light):
    """Write the light of one channel of n pixels."""
    together = n - n % LOOKED_UP
    for i in range(_U(0), _U(together), _U(LOOKED_UP)):
        look_up(linear, pixels, _U(3) * (start + i) + channel, light, i)
    for i in range(_U(together), _U(n)):
        light[i] = linear[pixels[_U(3) * (start + i) + channel]]


@inline_jit
def _cube_root(x, n):
    """CIE's f(t) in place.

    A third of the number's bits, exponent first, is a first guess, and two of Halley's steps make
    it exact to float32 (Kahan's and Turkowski's cube root). The third is taken in floats, which
    vectors divide faster than integers.
    """
    for i in range(_U(n)):
        t = x[i]
        third = _F(1 / 3) * _F(_F(t).view(np.int32)) + _F(709921077)
        root = np.int32(third).view(np.float32)
        cube = root * root * root
        root = root * (cube + _F(2) * t) / (_F(2) * cube + t)
        cube = root * root * root
        root = root * (cube + _F(2) * t) / (_F(2) * cube + t)
        linear = _F(841 / 108) * t + _F(4 / 29)
        x[i] = root if t > _F(216 / 24389) else linear


@jit
def lab_planes(first, last, pixels, linear, units, planes):
    """Write CIE L*a*b* (D65) of the blocks of 256 pixels from `first` up to `last`.

    Parameters
    ----------
    pixels : (3 * n,) uint8
        B, G, R, B, G, R, ...
    linear : (256,) float32
        The light, 0 to 1, of each sRGB level.
    units : float32
        Steps of the planes in one unit of L*, a* or b*.
    planes : (3 * n,) int16
        Written: all of L*, then all of a*, then all of b*.
    """
    area = pixels.shape[0] // 3
    b, g, r = scratch(COLOR_BLOCK, _F), scratch(COLOR_BLOCK, _F), scratch(COLOR_BLOCK, _F)
    x, y, z = scratch(COLOR_BLOCK, _F), scratch(COLOR_BLOCK, _F), scratch(COLOR_BLOCK, _F)
    for start in range(first * COLOR_BLOCK, min(last * COLOR_BLOCK, area), COLOR_BLOCK):
        n = min(COLOR_BLOCK, area - start)
        _light(pixels, _U(start), n, _U(0), linear, b)
        _light(pixels, _U(start), n, _U(1), linear, g)
        _light(pixels, _U(start), n, _U(2), linear, r)
        for i in range(_U(n)):  # sRGB primaries, each row divided by the white point's part
            x[i] = _F(0.43395328) * r[i] + _F(0.37621942) * g[i] + _F(0.18982783) * b[i]
            y[i] = _F(0.21267290) * r[i] + _F(0.71515220) * g[i] + _F(0.07217500) * b[i]
            z[i] = _F(0.01775655) * r[i] + _F(0.10946796) * g[i] + _F(0.87277549) * b[i]
        _cube_root(x, n)
        _cube_root(y, n)
        _cube_root(z, n)
        for i in range(_U(n)):
            p = _U(start) + i
            planes[p] = np.int16(np.rint(units * (_F(116) * y[i] - _F(16))))
            planes[_U(area) + p] = np.int16(np.rint(units * _F(500) * (x[i] - y[i])))
            planes[_U(2 * area) + p] = np.int16(np.rint(units * _F(200) * (y[i] - z[i])))


@jit
def hsv_planes(first, last, pixels, units, planes):
    """Write the hue-saturation-value cone of the blocks of 256 pixels from `first` up to `last`.

    The planes are chroma * cos(hue), chroma * sin(hue) and value, in levels times `units`; the
    arrays are as in `lab_planes`.
    """
    area = pixels.shape[0] // 3
    for i in range(_U(first * COLOR_BLOCK), _U(min(last * COLOR_BLOCK, area))):
        p = _U(3) * i
        b, g, r = _F(pixels[p]), _F(pixels[p + _U(1)]), _F(pixels[p + _U(2)])
        planes[i] = np.int16(np.rint(units * (r - _F(0.5) * (g + b))))
        planes[_U(area) + i] = np.int16(np.rint(units * _F(0.8660254) * (g - b)))
        planes[_U(2 * area) + i] = np.int16(units * max(b, max(g, r)))
