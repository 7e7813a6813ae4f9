"""Working: what-ifs and advice as jobs, with their progress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from twin.commands.plan import plan
from twin.commands.proposals import KINDS
from twin.commands.recommend import document, newest, present
from twin.commands.rounds import play_round
from twin.commands.show import Screen
from twin.commands.state import moment, sensed
from twin.commands.verbs import Call
from twin.experiment import run as play
from twin.readings import format_instant
from twin.serve import schema
from twin.serve.guard import Calling, plain, router
from twin.serve.jobs import Job, Report
from twin.serve.stream import DESCRIBED, last_heard, stream

routes = router("work")
JobName = Annotated[str, InPath(pattern=r"^[0-9a-f]{12}$", examples=["6f2a1c0d9e8b"])]


def told(job: Job, *, whole: bool = True) -> dict[str, Any]:
    """A job as it stands."""
    return {"id": job.id, "kind": job.kind, "by": job.by, "status": job.status,
            "made": format_instant(job.made), "what": job.what, "done": job.done,
            "total": job.total, "error": job.error,
            "ended": format_instant(job.ended) if job.ended is not None else None,
            "result": plain(job.result) if whole else None}


@routes.post("/runs", status_code=202, response_model=schema.JobRow)
def run(caller: Calling, body: schema.RunRequest) -> Any:
    """Play what-ifs against the baseline, as a job."""
    house = caller.house
    settings: dict[str, tuple[str, ...]] = {
        "models": (house.model,), "calibration": (body.calibration,), "horizon": (body.horizon,),
        "replications": (str(body.replications),), "seed": (str(body.seed),)}
    if body.scenarios:
        settings["scenarios"] = tuple(dict.fromkeys(body.scenarios))
    block, = plan(settings, house.workspace).blocks  # a wrong name is told at once, not by the job

    def work(report: Report) -> Any:
        state = None
        if body.start == "now":
            state = sensed(house.store, house.network, moment("now", house.store))[1]
        workers = house.workers
        found = play(block.network, block.scenarios, horizon=block.values["horizon"],
                     warmup=block.values["warmup"], replications=body.replications, seed=body.seed,
                     calibration=body.calibration, uncertainty=body.uncertainty, state=state,
                     workers=workers, engine="serial" if workers == 1 else "joblib",
                     progress=report, workspace=house.workspace)
        rows = found.headline.drop(columns=["place", "product", "stream"]).to_dict("records")
        return {"kpis": rows, "digest": found.manifest.kpis_digest,
                "notes": list(block.notes)}

    return told(house.jobs.start("run", caller.name, work))


@routes.post("/recommendations", status_code=202, response_model=schema.JobRow)
def recommend(caller: Calling, body: schema.RecommendRequest) -> Any:
    """Look at the state, play plans against doing nothing, and file what is better, as a job."""
    house = caller.house
    call = Call((), Screen(quiet=True), Path("outputs"), house.folder)
    learned = house.workspace.calibration(body.calibration or newest(call, house.model))

    def work(report: Report) -> Any:
        state = present(call, house.model, "", learned.apply(house.network), body.seed)
        found = play_round(house.desk, house.network, learned, state, seed=body.seed,
                           kinds=body.kinds or list(KINDS), seconds=body.limit_s,
                           budget=body.budget, workers=house.workers, told=report)
        return {"recommendations": [document(filed) for filed in found.filed],
                "judged": {name: verdict.passes for name, verdict in found.verdicts.items()},
                "in_hand": list(found.in_hand), "notes": list(found.notes)}

    return told(house.jobs.start("recommend", caller.name, work))


@routes.get("/jobs", response_model=list[schema.JobRow])
def jobs(caller: Calling) -> Any:
    """Jobs that are remembered, oldest first, without their results."""
    return [told(job, whole=False) for job in caller.house.jobs.list()]


@routes.get("/jobs/{name}", response_model=schema.JobRow)
def job(caller: Calling, name: JobName) -> Any:
    """One job and, when it is done, its result."""
    return told(caller.house.jobs.get(name))


@routes.delete("/jobs/{name}", response_model=schema.JobRow)
def cancel(caller: Calling, name: JobName) -> Any:
    """Stop a job at its next step."""
    return told(caller.house.jobs.cancel(name), whole=False)


@routes.get("/jobs/{name}/events", response_class=StreamingResponse, responses=DESCRIBED)
def job_events(request: Request, caller: Calling, name: JobName, once: Annotated[bool, Query(
        description="send what there is and end")] = False) -> Any:
    """What happens to a job, as server-sent events, from its beginning or from Last-Event-ID."""
    found = caller.house.jobs.get(name)

    def look(after: int) -> tuple[list[tuple[int, str, Any]], bool]:
        over = found.over  # before the steps: what came last is among them
        return [(number, kind, data) for number, (kind, data)
                in enumerate(found.steps[after:], after + 1)], over

    return stream(request, caller, look, min(last_heard(request, 0), len(found.steps)), once=once)
