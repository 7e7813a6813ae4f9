"""Importers: exports of an ERP or a planning system as the tables of a model.

Siblings of one contract: a callable that reads a file or folder and gives an `Imported`: tables,
and in words each thing that the export does not say and that had to be assumed.

Examples
--------
>>> sorted(FORMATS)
['adventureworks', 'frepple']
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twin.network.erp.adventureworks import read_adventureworks
from twin.network.erp.frepple import read_frepple
from twin.network.erp.imported import Imported, write_model

__all__ = ["FORMATS", "Imported", "write_model"]

#: Name of a format -> what reads it.
FORMATS: dict[str, Callable[[Path], Imported]] = {
    "adventureworks": read_adventureworks, "frepple": read_frepple,
}
