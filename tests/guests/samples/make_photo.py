#!/usr/bin/env python3
"""Renders photo.png: a sunset over hills and water, with grain, the same bytes on every machine.

Only integers and zlib's own format are used. Deflate output may differ between zlib versions, so
the picture is committed; running this again checks that its pixels are the ones described here.
"""

import os
import struct
import sys
import zlib

WIDTH, HEIGHT = 320, 240
HORIZON = 150
MAX_BYTES = 60 * 1024


def noise(x, y, seed):
    """A number from 0 to 255 that looks random and depends only on its arguments."""
    value = (x * 374761393 + y * 668265263 + seed * 2246822519) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 1274126177) & 0xFFFFFFFF
    return (value ^ (value >> 16)) & 0xFF


def smooth(x, y, cell, seed):
    """Noise on a grid of `cell` pixels, interpolated."""
    left, top = x // cell, y // cell
    dx, dy = x % cell, y % cell
    upper = noise(left, top, seed) * (cell - dx) + noise(left + 1, top, seed) * dx
    lower = noise(left, top + 1, seed) * (cell - dx) + noise(left + 1, top + 1, seed) * dx
    return (upper * (cell - dy) + lower * dy) // (cell * cell)


def mix(one, two, part, whole):
    return tuple((a * (whole - part) + b * part) // whole for a, b in zip(one, two))


def sky(x, y):
    colour = mix((38, 62, 120), (244, 170, 104), min(y, HORIZON), HORIZON)
    cloud = (smooth(x, y * 3, 48, 1) * 5 + smooth(x, y * 3, 17, 2) * 3) // 8
    if cloud > 120:
        colour = mix(colour, (250, 214, 190), min((cloud - 120) * 2, 160), 255)
    distance = (x - 214) ** 2 + (y - 112) ** 2
    if distance < 22 * 22:
        return (255, 240, 200)
    glow = max(0, 90 * 90 - distance)
    return mix(colour, (255, 214, 140), glow, 90 * 90 * 2)


def ridge(x, base, height, seed):
    return base - smooth(x, 0, 64, seed) * height // 255 - smooth(x, 0, 19, seed + 1) * height // 1020


def pixel(x, y):
    if y > HORIZON + 22:
        ripple = smooth(x, y * 5, 23, 7) - 128
        above = sky(max(0, min(WIDTH - 1, x + ripple // 12)), max(0, 2 * (HORIZON + 22) - y - 40))
        colour = mix(above, (18, 34, 60), 90 + (y - HORIZON) // 2, 255)
    elif y > ridge(x, HORIZON + 22, 46, 11):
        colour = mix((30, 44, 40), (64, 72, 48), smooth(x, y, 7, 13), 255)
    elif y > ridge(x, HORIZON + 10, 74, 21):
        colour = mix((72, 70, 92), (112, 92, 100), smooth(x, y, 11, 23), 255)
    else:
        colour = sky(x, y)
    # Grain in steps, so that the file stays small enough to be a request that can be challenged.
    grain = (noise(x, y, 31) >> 7) * 4 + (noise(x, y, 37) >> 7) * 4 - 4
    return tuple(max(0, min(255, (channel + grain) & ~3)) for channel in colour)


def filtered(rows):
    """Each row behind the PNG filter that leaves the least to say, by the usual heuristic."""
    previous = bytes(WIDTH * 3)
    for row in rows:
        left = bytes(3) + row[:-3]
        corner = bytes(3) + previous[:-3]
        candidates = [
            bytes([0]) + row,
            bytes([1]) + bytes((a - b) & 255 for a, b in zip(row, left)),
            bytes([2]) + bytes((a - b) & 255 for a, b in zip(row, previous)),
            bytes([4]) + bytes((a - paeth(b, c, d)) & 255 for a, b, c, d in zip(row, left, previous, corner)),
        ]
        yield min(candidates, key=lambda line: sum(min(v, 256 - v) for v in line[1:]))
        previous = row


def paeth(left, above, corner):
    guess = left + above - corner
    distances = (abs(guess - left), abs(guess - above), abs(guess - corner))
    return (left, above, corner)[distances.index(min(distances))]


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def main():
    rows = [b"".join(bytes(pixel(x, y)) for x in range(WIDTH)) for y in range(HEIGHT)]
    raw = b"".join(filtered(rows))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "photo.png")
    if os.path.exists(path) and "--force" not in sys.argv:
        with open(path, "rb") as file:
            data = file.read()
        start = data.index(b"IDAT") + 4
        length = struct.unpack(">I", data[start - 8:start - 4])[0]
        same = zlib.decompress(data[start:start + length]) == raw
        print("photo.png is up to date" if same else "photo.png differs: run with --force")
        sys.exit(0 if same else 1)
    picture = b"\x89PNG\r\n\x1a\n"
    picture += chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    picture += chunk(b"IDAT", zlib.compress(raw, 9))
    picture += chunk(b"IEND", b"")
    if len(picture) > MAX_BYTES:
        sys.exit(f"photo.png would have {len(picture)} bytes, over {MAX_BYTES}")
    with open(path, "wb") as file:
        file.write(picture)
    print(f"photo.png: {len(picture)} bytes")


if __name__ == "__main__":
    main()
