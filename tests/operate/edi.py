"""Strict readers of EDIFACT and X12, written from the syntax rules alone, for tests."""

from __future__ import annotations

import re

#: Tag -> elements; of EDIFACT each element is a list of components.
Edifact = list[tuple[str, list[list[str]]]]
X12 = list[list[str]]


def read_edifact(said: bytes) -> Edifact:
    """The segments of an interchange of one message, its counts and references checked."""
    assert said.startswith(b"UNA:+.? '")
    charset = {b"UNB+UNOC:3+": "latin-1", b"UNB+UNOW:4+": "utf-8"}[said[9:20]]
    text = said.decode(charset)[9:]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text)
    segments: Edifact = []
    elements, place = [[""]], 0
    while place < len(text):
        mark = text[place]
        if mark == "?":
            place += 1
            assert text[place] in "?+:'", "escapes nothing"
            elements[-1][-1] += text[place]
        elif mark == ":":
            elements[-1].append("")
        elif mark == "+":
            elements.append([""])
        elif mark == "'":
            segments.append((elements[0][0], elements[1:]))
            elements = [[""]]
        else:
            elements[-1][-1] += mark
        place += 1
    assert elements == [[""]], "the last segment has no end"
    tags = [tag for tag, _ in segments]
    assert tags[0] == "UNB"
    assert tags[1] == "UNH"
    assert tags[-2:] == ["UNT", "UNZ"]
    message = segments[1:-1]
    assert message[-1][1] == [[str(len(message))], message[0][1][0]]
    assert segments[-1][1] == [["1"], segments[0][1][4]]
    assert 0 < len(segments[0][1][4][0]) <= 14
    assert tags.count("LIN") == int(next(e for t, e in message if t == "CNT")[0][1])
    for tag, parts in message:
        assert parts[-1] != [""], f"{tag} ends in nothing"
    limits = {"BGM": (1, 35), "LIN": (2, 35), "NAD": (1, 17)}
    for tag, parts in message:
        if tag in limits:
            assert len(parts[limits[tag][0]][0]) <= limits[tag][1]
        if tag == "FTX":
            assert len(parts[3]) <= 5
            assert all(len(one) <= 70 for one in parts[3])
    order = ["UNH", "BGM", "DTM", "FTX", "NAD", "CUX", "LIN", "QTY", "PRI", "UNS", "CNT", "UNT"]
    places = [order.index(tag) for tag, _ in message]
    assert places == sorted(places)
    return segments


def read_x12(said: bytes) -> X12:
    """The segments of an interchange of one 850, its counts and control numbers checked."""
    text = said.decode()
    element, component, end = text[3], text[104], text[105]
    assert len({element, component, end}) == 3
    assert text[:3] == "ISA"
    assert text.endswith(end)
    segments = [segment.split(element) for segment in text[:-1].split(end)]
    assert [len(field) for field in segments[0]] == [3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9,
                                                     1, 1, 1]
    tags = [segment[0] for segment in segments]
    assert tags[:3] == ["ISA", "GS", "ST"]
    assert tags[-3:] == ["SE", "GE", "IEA"]
    assert segments[-1] == ["IEA", "1", segments[0][13]]
    assert segments[-2] == ["GE", "1", segments[1][6]]
    assert segments[-3] == ["SE", str(len(segments) - 4), segments[2][2]]
    assert segments[-4] == ["CTT", str(tags.count("PO1"))]
    assert all(segment[-1] for segment in segments)
    assert len(segments[3][3]) <= 22
    assert not any(component in field for segment in segments[1:] for field in segment)
    return segments
