"""``twin import``: an export of an ERP or a planning system as a model."""

from __future__ import annotations

import shutil
from pathlib import Path

from twin.commands.verbs import Call
from twin.network import ModelError
from twin.network.erp import FORMATS, write_model
from twin.network.reading import read_network
from twin.settings import Key, SettingError, describe, options, read, text

KEYS = {key.name: key for key in (
    Key("into", "name of the model that is written into models/ of the workspace", "", text),
)}

ABOUT = {"import": """\
twin import FORMAT SOURCE into=NAME

Writes the tables of a model from an export: sites, products, bills of materials, suppliers,
machines, routings, stock, lanes, demand and open orders, as far as the export says them. What it
could not know, and what stands there instead, is in models/NAME/README.md, a sentence each: read it
before you trust a number.

  adventureworks  a folder of an ERP's tables as CSV, in the shape of Microsoft's AdventureWorks:
                  Product, BillOfMaterials, ProductInventory, Vendor, ProductVendor,
                  PurchaseOrderHeader, PurchaseOrderDetail
  frepple         a file of frePPLe's records as JSON (dumpdata), or the folder that holds it

  twin import adventureworks exports/erp into=bikes
  twin import frepple exports/plan.json.gz into=furniture
  twin check models=furniture

""" + describe(KEYS)}


def import_command(call: Call) -> int:
    """Read, write, check, and say what was assumed."""
    words = [word for word in call.arguments if "=" not in word]
    settings = read([word for word in call.arguments if "=" in word], KEYS, "import")
    if len(words) != 2:
        raise SettingError(f"twin import takes FORMAT and SOURCE, not {len(words)} words. See twin "
                           "import --help.")
    form, source = words
    if form not in FORMATS:
        raise SettingError(f"format '{form[:60]}' is unknown. {options(form, FORMATS)}")
    name = settings["into"]
    if not name:
        raise SettingError("into which model? Write into=NAME.")
    models = call.workspace.home / "models"
    with call.screen.working("Reading the export"):
        model = FORMATS[form](Path(source).expanduser())
        folder = write_model(model, models, name,
                             f"an export in the format {form} ({Path(source).name})")
    try:
        network = read_network(models / f"{name}.yaml")
    except ModelError:
        shutil.rmtree(folder)
        (models / f"{name}.yaml").unlink()
        raise
    tables = {table: len(rows) for table, rows in model.tables.items()}
    if call.screen.as_json:
        call.screen.print_json({"model": network.name, "tables": tables, "assumed": model.assumed,
                                "left_out": model.left_out, "folder": str(folder)})
        return 0
    call.screen.say(f"models/{name} is sound: "
                    + ", ".join(f"{count:,} {table}" for table, count in tables.items()))
    for title, sentences in (("Assumed", model.assumed), ("Left out", model.left_out)):
        for sentence in sentences:
            call.screen.say(f"  {title}: {sentence}")
    call.screen.say(f"Read {folder / 'README.md'} before you trust a number. Try: twin run "
                    f"models={name} scenarios=baseline horizon=30d replications=3")
    return 0
