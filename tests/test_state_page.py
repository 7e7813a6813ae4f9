"""The page on state documents names every field that an actor keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.simulate.shops import BASELINE
from tests.simulate.test_plant_fields import MORE, saved
from tests.simulate.test_plant_state import CASES
from tests.simulate.test_state import BREAK, CERTAIN, WHAT, fields
from tests.simulate.test_state import saved as saved_chain

PAGE = Path(__file__).parents[1] / "docs" / "state_document.md"


def names(document: dict[str, Any]) -> set[str]:
    """Names of fields anywhere in a state; names of actors, trucks and events are none."""
    found = set()
    for path in fields(document):
        inner = path[-2] if len(path) > 1 else ""
        own = path[0] == "actors" and (len(path) == 2 or (
            len(path) == 3 and str(path[1]).startswith("fleet ")))
        if not own and inner != "event" and not isinstance(path[-1], int):
            found.add(path[-1])
    return found


def test_the_page_names_every_field() -> None:
    said = set(re.findall(r"`([a-z_]+)`", PAGE.read_text(encoding="utf-8")))
    found = names(saved_chain(CERTAIN, WHAT, BREAK).document())
    for network, moment, what in [*MORE, *((*case, BASELINE) for case in CASES.values())]:
        found |= names(saved(network, moment, what))
    assert len(found) > 90
    assert found - said == set()
