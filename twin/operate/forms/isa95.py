"""Orders to a MES in the shape of ISA-95 (IEC 62264), as JSON with the names of its models.

An operations schedule says what is to be done when; a job order is one piece of work for one work
centre. An action that carries jobs (a schedule does) gives a segment, or a job, for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import Deed, deed_of, instant, plain

_MAINTENANCE = ("service",)


class Isa95Schedule:
    """An OperationsSchedule with one OperationsRequest, Released or (taken back) Aborted.

    Examples
    --------
    >>> said = json.loads(Isa95Schedule().write(Message("R-3/1", "service", {
    ...     "target": "bottling_line", "quantity": 2.0, "unit": "h",
    ...     "when": "2026-05-12T06:00:00+00:00"})))
    >>> request = said["OperationsSchedule"]["OperationsRequest"][0]
    >>> request["OperationsType"], request["RequestState"], request["EndTime"]
    ('Maintenance', 'Released', '2026-05-12T08:00:00+00:00')
    >>> request["SegmentRequirement"][0]["EquipmentRequirement"]
    [{'EquipmentID': 'bottling_line', 'EquipmentUse': 'Maintained'}]
    """

    name, media_type, suffix = "isa95", "application/json", ".json"

    def write(self, message: Message) -> bytes:
        """The schedule as UTF-8."""
        deed = deed_of(message)
        kind = "Maintenance" if deed.verb in _MAINTENANCE else "Production"
        segments = [{"ID": f"{deed.number}/{place}", "OperationsType": kind, **_work(job, deed)}
                    for place, job in enumerate(_jobs(deed), start=1)]
        times = [segment[name] for segment in segments for name in ("StartTime", "EndTime")
                 if name in segment]
        request = {
            "ID": deed.number, "OperationsType": kind, "Description": deed.note or deed.verb,
            "RequestState": "Aborted" if deed.back else "Released",
            **({"StartTime": min(times), "EndTime": max(times)} if times else {}),
            "SegmentRequirement": segments}
        return _json({"OperationsSchedule": {
            "ID": message.key, "OperationsType": kind,
            "ScheduleState": request["RequestState"], "OperationsRequest": [request]}})


class Isa95Job:
    """JobOrders in one JobList, each with the command Store, or (taken back) Cancel.

    Examples
    --------
    >>> said = json.loads(Isa95Job().write(Message("R-3/1", "increase", {
    ...     "target": "juicery/juice", "quantity": 40})))
    >>> job = said["JobList"]["JobOrder"][0]
    >>> job["Command"], job["MaterialRequirement"][0]["Quantity"]
    ('Store', [{'QuantityString': '40', 'DataType': 'decimal', 'UnitOfMeasure': 'units'}])
    """

    name, media_type, suffix = "job_order", "application/json", ".json"

    def write(self, message: Message) -> bytes:
        """The list as UTF-8."""
        deed = deed_of(message)
        kind = "Maintenance" if deed.verb in _MAINTENANCE else "Production"
        jobs = [{"ID": f"{deed.number}/{place}", "WorkType": kind,
                 "Command": "Cancel" if deed.back else "Store", **_work(job, deed)}
                for place, job in enumerate(_jobs(deed), start=1)]
        return _json({"JobList": {"ID": message.key, "WorkType": kind, "JobOrder": jobs}})


def _jobs(deed: Deed) -> Sequence[Mapping[str, Any]]:
    """The jobs that an action carries, or itself as one."""
    jobs = deed.more.get("jobs")
    if isinstance(jobs, Sequence) and not isinstance(jobs, str) and jobs:
        if all(isinstance(job, Mapping) for job in jobs):
            return jobs
        raise ValueError("a job of the action is no mapping. Give machine, product, start, end.")
    if deed.verb in _MAINTENANCE:
        return [{"machine": deed.site, "hours": deed.quantity, "start": deed.when}]
    return [{"product": deed.product, "quantity": deed.quantity, "start": deed.when}]


def _work(job: Mapping[str, Any], deed: Deed) -> dict[str, Any]:
    """Times, place, equipment and material of one job."""
    from datetime import timedelta

    said: dict[str, Any] = {}
    start = instant(str(job.get("start", "")))
    end = instant(str(job.get("end", "")))
    if start is not None and end is None and job.get("hours"):
        end = start + timedelta(hours=float(job["hours"]))
    if start is not None:
        said["StartTime"] = start.isoformat()
    if end is not None:
        said["EndTime"] = end.isoformat()
    if deed.verb not in _MAINTENANCE and deed.site:
        said["HierarchyScope"] = {"EquipmentID": deed.site, "EquipmentLevel": "Site"}
    if job.get("machine"):
        use = "Maintained" if deed.verb in _MAINTENANCE else "Used"
        said["EquipmentRequirement"] = [{"EquipmentID": str(job["machine"]), "EquipmentUse": use}]
    product = str(job.get("product", ""))
    if product:
        said["MaterialRequirement"] = [{
            "MaterialDefinitionID": product, "MaterialUse": "Produced",
            "Quantity": [{"QuantityString": plain(float(job.get("quantity", deed.quantity))),
                          "DataType": "decimal", "UnitOfMeasure": deed.unit}]}]
        if job.get("lot"):
            said["MaterialRequirement"][0]["MaterialLotID"] = str(job["lot"])
    return said


def _json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
