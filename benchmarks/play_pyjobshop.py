"""PyJobShop on a flexible job shop: JSON in (jobs, seconds, seed), the makespan out."""

import json
import sys

from pyjobshop import Model


def main() -> None:
    asked = json.load(sys.stdin)
    model = Model()
    count = 1 + max(m for job in asked["jobs"] for ways in job for m, _ in ways)
    machines = [model.add_machine() for _ in range(count)]
    for ways_of in asked["jobs"]:
        job = model.add_job()
        before = None
        for ways in ways_of:
            task = model.add_task(job=job)
            for machine, minutes in ways:
                model.add_mode(task, machines[machine], minutes)
            if before is not None:
                model.add_end_before_start(before, task)
            before = task
    result = model.solve(time_limit=asked["seconds"], num_workers=2, display=False,
                         random_seed=asked["seed"])
    print(json.dumps(None if result.objective == float("inf") else int(result.objective)))


if __name__ == "__main__":
    main()
