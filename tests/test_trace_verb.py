"""``twin trace``, from the command line, on what was heard and on what was played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twin.__main__ import main
from twin.ledger import Ledger, write_ledgers
from twin.readings import Reading
from twin.sense.epcis import check_epcis, read_epcis
from twin.store import Store

START = 1736121600.0  # 2025-01-06


def told(number: int, hour: float, kind: str, **more: object) -> Reading:
    return Reading(sensor="wms", id=str(number), time=START + 3600.0 * hour,
                   kind=kind, **more)  # type: ignore[arg-type]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chain in which lot L7 was warm for an hour before half of it went to a clinic."""
    folder = tmp_path / "ours"
    for group in ("models", "calibration", "scenarios"):
        (folder / group).mkdir(parents=True)
    (folder / "models" / "cold.yaml").write_text(
        "title: Cold\nstart: 2025-01-06\ncurrency: EUR\ntables: cold\n")
    tables = folder / "models" / "cold"
    tables.mkdir()
    (tables / "sites.csv").write_text("site,kind\nW,warehouse\nclinic,customer\n")
    (tables / "products.csv").write_text("product,min_c,max_c\nserum,2,8\n")
    (tables / "storage.csv").write_text("site,area,min_c,max_c\nW,cold,2,8\n")
    Store(folder / "store" / "cold").write([
        told(1, 0, "receiving", site="W", product="serum", lot="L7", quantity=10.0),
        told(2, 0, "storing", site="W", area="cold", product="serum", lot="L7", quantity=10.0),
        *(told(10 + k, 0.5 * k, "temperature", site="W", area="cold",
               value=9.5 if k in (4, 5) else 5.0) for k in range(12)),
        told(3, 5, "picking", site="W", product="serum", lot="L7", quantity=4.0, order="SO-1"),
        told(4, 5, "departing", site="W", to_site="clinic", product="serum", lot="L7", quantity=4.0,
             shipment="S-9", asset="van"),
        told(5, 7, "delivering", site="clinic", product="serum", lot="L7", quantity=4.0,
             order="SO-1")])
    monkeypatch.chdir(folder)
    return folder


def test_a_lot_that_was_heard(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "lot=L7", "models=cold"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Lot L7: 10 units of serum, first seen at W, 2025-01-06T00:00:00Z"
    assert ("  lot L7: 5.0 to 9.5 C (warmest at W:cold), mean kinetic 6.1 C, "
            "1.0 h outside its range; 12 readings") in said
    assert "  clinic: 4 units of serum, orders SO-1" in said
    assert "  W: 6 units of serum, lot L7" in said
    assert "Balance: 10 = 4 delivered + 6 still there + 0 lost, in units of lot L7" in said
    folder = workspace / "outputs" / "cold-trace-L7"
    document = json.loads((folder / "epcis.jsonld").read_text())
    assert len(check_epcis(document)) == 5
    assert {row.lot for row in read_epcis(document)} == {"L7"}
    page = (folder / "trace.html").read_text()
    assert "Lot L7: serum" in page
    assert "://" not in page


def test_a_lot_that_was_played(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    for time, event, site, units in ((0, "commissioning", "W", 5.0), (1, "storing", "W", 5.0),
                                     (2, "delivering", "clinic", 5.0)):
        ledger.add(time, event, site=site, product="serum", lot=3, quantity=units)
    write_ledgers("ledger.parquet", {"baseline": ledger, "worse": Ledger()})
    assert main(["trace", "lot=L3", "models=cold", "ledger=ledger.parquet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["balance"] == {"units": 5.0, "delivered": 5.0, "to_stop": 0, "lost": 0, "rest": 0.0}
    assert "holds 2 to 8 C" in said["temperatures"][0]["said"]
    assert said["gaps"] == ["5 units of lot 3 (serum) left a place to which no record had brought "
                            "them."]


@pytest.mark.parametrize(("words", "why"), [
    (["models=cold"], "which lot?"),
    (["models=cold", "lot=L8"], "lot 'L8' is not in store/cold. It has L7"),
    (["models=cold", "lot=L7", "ledger=no.parquet"], "no.parquet is not there"),
])
def test_a_wrong_question_is_named(workspace: Path, words: list[str], why: str,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", *words]) == 2
    assert why in capsys.readouterr().err


def test_nothing_heard(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    shutil.rmtree(workspace / "store")
    assert main(["trace", "lot=L7", "models=cold"]) == 1
    assert "nothing was heard about cold yet" in capsys.readouterr().err
