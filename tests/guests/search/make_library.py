#!/usr/bin/env python3
"""Makes a package of the search function: the module, and its library in the section behind it.

Usage: make_library.py MODULE PACKAGE

The library is eight files of invented prose, the same bytes on every machine. The section is the one
that the executor reads: named "millrace:files", a SCALE list of paths and contents in ascending order.
"""

import sys

FILES = 8
FILE_BYTES = 32 * 1024
WORDS_OF_A_LINE = 12
COMMON = (
    "the river a mill of stone and water turns under an old wheel while rain falls on "
    "hills where nobody walks before spring"
).split()
SYLLABLES = (
    "ka lo mi ran tel su vor den ia ne qua bri sto lum ze fa gor pin ty wes "
    "al dru ek hy jo nov or pra ul xi"
).split()


def numbers(seed):
    """Numbers that look random and depend only on the seed."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        yield state >> 33


def word(random):
    """A common word half of the time, else one of a few thousand rare ones."""
    if next(random) % 2:
        return COMMON[next(random) % len(COMMON)]
    # The product of two numbers makes some rare words less rare than others.
    number = (next(random) % 80) * (next(random) % 80)
    parts = []
    for _ in range(2 + number % 2):
        parts.append(SYLLABLES[number % len(SYLLABLES)])
        number = number // 7 + 11
    return "".join(parts)


def prose(seed):
    """One file."""
    random = numbers(seed)
    text, line = "", []
    while len(text) < FILE_BYTES:
        line.append(word(random))
        if len(line) == WORDS_OF_A_LINE:
            text += " ".join(line).capitalize() + ".\n"
            line = []
    return text.encode()


def compact(number):
    """A length as SCALE writes it."""
    if number < 1 << 6:
        return (number << 2).to_bytes(1, "little")
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    return (number << 2 | 2).to_bytes(4, "little")


def leb128(number):
    """A length as Wasm writes it."""
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        if number:
            out.append(byte | 0x80)
        else:
            out.append(byte)
            return bytes(out)


def section(files):
    """The custom section that holds the files."""
    content = compact(len(files))
    for path, data in sorted(files):
        content += compact(len(path)) + path + compact(len(data)) + data
    name = b"millrace:files"
    body = leb128(len(name)) + name + content
    return b"\0" + leb128(len(body)) + body


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_library.py MODULE PACKAGE")
    files = [(b"library/%02d.txt" % number, prose(number)) for number in range(FILES)]
    with open(sys.argv[1], "rb") as module:
        package = module.read() + section(files)
    with open(sys.argv[2], "wb") as out:
        out.write(package)


if __name__ == "__main__":
    main()
