"""The inner loop of the search over orders of operations, over plain arrays.

Compiled by Numba where it is installed, like `tabu_moves`; in one module, since of a change in
another Numba would keep the old machine code. Operations are numbered so that each comes after all
that it waits for; ``t`` is a `twin.optimize.sequence_search.Tables`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.optimize.tabu_moves import compiled

_AGAIN = 0.7  #: share of tries that put lots anew
_LOTS = 10  #: at most so many in a try


@compiled
def _opening(low: int, high: int, shut: Any, opens: Any, time: int) -> int:
    """The first open minute at or after a time; closed spans are those from low to high."""
    least = low
    while low < high:  # behind the last span that begins at or before it
        middle = (low + high) // 2
        if shut[middle] <= time:
            low = middle + 1
        else:
            high = middle
    if low > least and time < opens[low - 1]:
        return int(opens[low - 1])
    return time


@compiled
def _after(low: int, high: int, shut: Any, opens: Any, time: int, minutes: int) -> int:
    """When so many open minutes are over that begin at a time."""
    if minutes == 0:
        return time
    end, most = time + minutes, high
    while low < high:
        middle = (low + high) // 2
        if opens[middle] <= time:
            low = middle + 1
        else:
            high = middle
    while low < most and shut[low] < end:
        end += opens[low] - max(shut[low], time)
        low += 1
    return int(end)


@compiled
def _sort(order: Any, keys: Any) -> None:
    """Put numbers in the order of their keys; quick where few are out of place."""
    for i in range(1, len(order)):
        v = order[i]
        k = i - 1
        while k >= 0 and (keys[order[k]] > keys[v] or (keys[order[k]] == keys[v]
                                                       and order[k] > v)):
            order[k + 1] = order[k]
            k -= 1
        order[k + 1] = v


@compiled
def place_all(t: Any, keys: Any, chosen: Any, held: Any, order: Any, start: Any, end: Any,
              on: Any, done: Any, free: Any, family: Any) -> int:
    """Place operations in the order of their keys; the cost of the schedule.

    Parameters
    ----------
    keys
        By operation; raised in place so that none is below one that it waits for.
    chosen
        The machine of each; -1 for the one that is done first.
    held
        Operations that do not begin before the plan in force lets them.
    order
        Of the operations as it was before; sorted in place.
    start, end, on, done, free, family
        Written: the schedule, ends of lots, and machines as it leaves them.
    """
    n, jobs = len(keys), len(done)
    first, job, started, tail, delay = t.first, t.job, t.started, t.tail, t.delay
    way_from, way_machine, way_minutes = t.way_from, t.way_machine, t.way_minutes
    after_from, after, high, families = t.after_from, t.after, t.high, t.family
    span_from, shut, opens = t.span_from, t.shut, t.open
    planned, planned_on, tolerance = t.planned, t.planned_on, t.tolerance
    for m in range(len(free)):
        free[m], family[m] = 0, t.tool_family[m]
    setup_cost = 0
    for j in range(jobs):
        most = -1e18
        for i in range(after_from[j], after_from[j + 1]):
            most = max(most, high[after[i]])
        for v in range(first[j], first[j + 1]):
            if started[v] >= 0:
                keys[v] = -1e18
                m = way_machine[way_from[v]]
                on[v], start[v] = m, -started[v]
                end[v] = _after(span_from[m], span_from[m + 1], shut, opens, 0,
                                way_minutes[way_from[v]])
                free[m] = max(free[m], end[v])
                if families[v] >= 0:
                    if families[v] != family[m]:
                        setup_cost += t.setup_cost[t.group[m], family[m] + 1, families[v]]
                    family[m] = families[v]
                most = max(most, float(end[v]))
            else:
                most = max(most + delay[v], keys[v])
                keys[v] = most
                most += t.least[v]
        high[j] = most + tail[j]
        done[j] = t.release[j]
    _sort(order, keys)
    moved = 0
    for i in range(n):
        v = order[i]
        j = job[v]
        if v == first[j]:
            for a in range(after_from[j], after_from[j + 1]):
                other = after[a]
                done[j] = max(done[j], done[other] + tail[other])
        if started[v] < 0:
            ready = done[j] + delay[v]
            if held[v]:
                ready = max(ready, planned[v] - tolerance)
            begin, over, cost, quick, own = 0, 1 << 60, 0, 1 << 60, families[v]
            for w in range(way_from[v], way_from[v + 1]):
                m = way_machine[w]
                if chosen[v] >= 0 and m != chosen[v]:
                    continue
                minutes, low, top = way_minutes[w], span_from[m], span_from[m + 1]
                change, dear = 0, 0
                if own >= 0 and own != family[m]:
                    change = t.setup_minutes[t.group[m], family[m] + 1, own]
                    dear = t.setup_cost[t.group[m], family[m] + 1, own]
                    if change < 0:
                        change, dear = t.setup[v], 0
                time = free[m]
                if low < top:
                    time = _opening(low, top, shut, opens, time)
                    if change:
                        time = _after(low, top, shut, opens, time, change)
                    time = _opening(low, top, shut, opens, max(time, ready))
                    stop = _after(low, top, shut, opens, time, minutes)
                else:
                    time = max(time + change, ready)
                    stop = time + minutes
                if stop < over or (stop == over and minutes < quick):
                    begin, over, cost, quick, on[v] = time, stop, dear, minutes, m
            start[v], end[v] = begin, over
            free[on[v]] = over
            if own >= 0:
                family[on[v]] = own
            setup_cost += cost
            if planned_on[v] >= 0 and (on[v] != planned_on[v]
                                       or abs(begin - planned[v]) > tolerance):
                moved += 1
        done[j] = end[v]
    return _cost(t, done, setup_cost, moved)


@compiled
def _cost(t: Any, done: Any, setup_cost: int, moved: int) -> int:
    """What a schedule costs under the goal, as `schedule_score.score` counts it."""
    cost, makespan = 0, 0
    t.goal[7] = max(0, moved - t.goal[4])
    for j in range(len(done)):
        end = done[j] + t.tail[j]
        makespan = max(makespan, end)
        if end > t.due[j]:
            cost += t.goal[0] * t.weight[j] * (end - t.due[j])
        if end > t.deadline[j]:
            cost += t.goal[5] * (end - t.deadline[j])
    return int(cost + t.goal[1] * makespan + t.goal[2] * setup_cost + t.goal[3] * moved
               + t.goal[6] * t.goal[7])


@compiled
def _vary(t: Any, now: Any, keys: Any, chosen: Any, held: Any, late: Any, lates: int, away: Any,
          aways: int, span: int, luck: Any) -> None:
    """Move a few operations elsewhere in the order."""
    n = len(keys)
    more = luck.random()
    for _ in range(1 + (more < 0.4) + (more < 0.1)):
        if lates and luck.random() < 0.5:
            j = late[int(luck.random() * lates)]
            v = t.first[j] + int(luck.random() * (t.first[j + 1] - t.first[j]))
        else:
            v = int(luck.random() * n)
        j = t.job[v]
        held[v] = False
        choice = luck.random()
        if choice < 0.35:  # before or after another operation of its machine
            u = int(luck.random() * n)
            while chosen[u] != chosen[v]:
                u = (u + 1) % n
            keys[v] = now[u] + (0.5 if luck.random() < 0.5 else -0.5)
        elif choice < 0.7:  # earlier or later, with what comes before or after in the lot
            shift = luck.normal() * t.reach[int(luck.random() * 3)] * span
            low, high = (t.first[j], v + 1) if shift < 0.0 else (v, t.first[j + 1])
            for u in range(low, high):
                keys[u] += shift
                held[u] = False
        elif choice < 0.9 or t.way_from[v + 1] - t.way_from[v] < 2:  # wherever it is done first
            chosen[v] = -1
            keys[v] += luck.normal() * 0.05 * span
        else:
            w = t.way_from[v] + int(luck.random() * (t.way_from[v + 1] - t.way_from[v]))
            chosen[v] = t.way_machine[w]
            keys[v] += luck.normal() * 0.05 * span
    if t.plan:
        back = luck.random() * (0.8 if t.holding else 0.3)
        while luck.random() < back:  # to where the plan has it
            u = int(luck.random() * n)
            if aways and luck.random() < 0.7:
                u = away[int(luck.random() * aways)]
            if t.planned_on[u] >= 0:
                chosen[u], keys[u], held[u] = t.planned_on[u], t.planned[u], t.holding


@compiled
def _take_out(t: Any, line: Any, late: Any, lates: int, away: Any, aways: int, rest: Any,
              out: Any, begun: Any, luck: Any) -> tuple[int, int]:
    """Choose lots to put anew, late ones more often than not; how much stays, and of how many.

    Parameters
    ----------
    rest
        Written: what stays of `line`.
    out
        Written: the first operation of each that is taken out.
    begun
        Noted here, by lot.
    """
    n, count, length = len(line), 0, 0
    begun[:] = n
    for _ in range(1 + int(luck.random() * len(out))):
        v = int(luck.random() * n)
        if lates and luck.random() < 0.5:
            j = late[int(luck.random() * lates)]
            v = t.first[j] + int(luck.random() * (t.first[j + 1] - t.first[j]))
        elif aways and luck.random() < 0.5:
            v = away[int(luck.random() * aways)]
        j = t.job[v]
        while v < t.first[j + 1] - 1 and t.started[v] >= 0:
            v += 1
        if t.started[v] < 0 and begun[j] == n:
            begun[j] = v
            out[count] = v
            count += 1
    for i in range(n):
        if line[i] < begun[t.job[line[i]]]:
            rest[length] = line[i]
            length += 1
    return length, count


@compiled
def _reinsert(t: Any, out: Any, count: int, start: Any, end: Any, on: Any, line: Any, length: int,
              free: Any, keys: Any, chosen: Any, held: Any, luck: Any) -> None:
    """Put the ends of some lots, one after another, where the others leave room, or the plan has
    them.

    Parameters
    ----------
    out
        The first operation of each that is put anew; none of those is in `line`.
    start, end, on
        Of all others; written for those that are put.
    line
        All others in order, as many as `length`.
    free
        Noted here: when machines are done.
    """
    for number in range(count):
        low = out[number]
        j = t.job[low]
        ready = t.release[j]
        if low > t.first[j]:
            ready = end[low - 1]
        else:
            for i in range(t.after_from[j], t.after_from[j + 1]):
                other = t.after[i]
                if t.first[other + 1] > t.first[other]:
                    ready = max(ready, end[t.first[other + 1] - 1] + t.tail[other])
        slack = luck.random() * t.tolerance  # others may be pushed a little
        faith = 1.0 - luck.random() * luck.random()
        for v in range(low, t.first[j + 1]):
            ready += t.delay[v]
            a, b = t.way_from[v], t.way_from[v + 1]
            if t.planned_on[v] >= 0 and ready <= t.planned[v] + t.tolerance \
                    and luck.random() < faith:
                chosen[v], keys[v], held[v] = t.planned_on[v], t.planned[v], t.holding
                for w in range(a, b):
                    if t.way_machine[w] == t.planned_on[v]:
                        start[v], on[v] = max(ready, t.planned[v]), t.planned_on[v]
                        end[v] = start[v] + t.way_minutes[w]
            else:
                for w in range(a, b):
                    free[t.way_machine[w]] = 0
                over, key = 1 << 60, 0.0
                for i in range(length):
                    u = line[i]
                    if start[u] > over:
                        break
                    for w in range(a, b):
                        if t.way_machine[w] == on[u]:
                            begin = max(ready, free[on[u]])
                            stop = begin + t.way_minutes[w]
                            if stop < over and stop <= start[u] + slack:
                                over, key, chosen[v] = stop, min(float(begin),
                                                                 start[u] - 0.5), on[u]
                                start[v] = begin
                            free[on[u]] = max(free[on[u]], end[u])
                for w in range(a, b):
                    begin = max(ready, free[t.way_machine[w]])
                    if begin + t.way_minutes[w] < over:
                        over, key = begin + t.way_minutes[w], float(begin)
                        chosen[v], start[v] = t.way_machine[w], begin
                keys[v], held[v], end[v], on[v] = key, False, over, chosen[v]
            ready = end[v]
            k = length
            while k > 0 and start[line[k - 1]] > start[v]:
                line[k] = line[k - 1]
                k -= 1
            line[k] = v
            length += 1


@compiled
def search(t: Any, now: Any, machine: Any, held: Any, memory: Any, tries: int, tried: int,
            best: Any, best_on: Any, best_held: Any, costs: Any, luck: Any) -> None:
    """Late acceptance over orders; `now` and `best` are starts, `costs` those of both."""
    n, jobs = len(now), len(t.release)
    keys, chosen, hold = np.empty(n), np.empty(n, np.int64), np.empty(n, np.bool_)
    start, end, on = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    done, late, away = np.empty(jobs, np.int64), np.empty(jobs, np.int64), np.empty(n, np.int64)
    free, family = np.empty(len(t.group), np.int64), np.empty(len(t.group), np.int64)
    order, sorted_ = np.arange(n), np.arange(n)
    from_, till, at = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    rest, out, begun = np.empty(n, np.int64), np.empty(_LOTS, np.int64), np.empty(jobs, np.int64)
    lates, aways, span, fresh = 0, 0, 1, True
    for number in range(tried, tried + tries):
        keys[:] = now
        chosen[:] = machine
        hold[:] = held
        if fresh:
            place_all(t, keys, chosen, hold, order, start, end, on, done, free, family)
            lates, aways, span = 0, 0, 1
            for j in range(jobs):
                span = max(span, done[j])
                if done[j] + t.tail[j] > t.due[j] and t.first[j + 1] > t.first[j]:
                    late[lates] = j
                    lates += 1
            for v in range(n):
                if t.planned_on[v] >= 0 and (on[v] != t.planned_on[v] or abs(
                        start[v] - t.planned[v]) > t.tolerance):
                    away[aways] = v
                    aways += 1
            fresh = False
            sorted_[:] = order
            from_[:], till[:], at[:] = start, end, on
            keys[:] = now
        order[:] = sorted_
        again = luck.random() < _AGAIN
        if again:
            length, count = _take_out(t, sorted_, late, lates, away, aways, rest, out, begun, luck)
            start[:], end[:], on[:] = from_, till, at
            _reinsert(t, out, count, start, end, on, rest, length, free, keys, chosen, hold, luck)
        if not again or luck.random() < 0.3:
            _vary(t, now, keys, chosen, hold, late, lates, away, aways, span, luck)
        cost = place_all(t, keys, chosen, hold, order, start, end, on, done, free, family)
        over = t.goal[7]
        slot = number % len(memory)
        if cost <= costs[0] or cost <= memory[slot]:
            now[:] = start
            machine[:] = on
            held[:] = hold
            costs[0] = cost
            costs[2] = over
            fresh = True
        memory[slot] = costs[0]
        cost += (t.goal[5] - t.goal[6]) * over
        if cost < costs[1]:
            costs[1] = cost
            best[:] = start
            best_on[:] = on
            best_held[:] = hold
        if t.holding and number % 50 == 0:  # the bound on moves is crossed now and then
            toll = t.goal[6]
            if not costs[2]:
                t.goal[6] = max(10, toll - toll // 20 - 1)
            else:  # ten times as dear as at first nothing else counts, and the search is stuck
                t.goal[6] = toll + toll // 20 + 1 if toll < 10 * t.goal[8] else t.goal[8]
            costs[0] += (t.goal[6] - toll) * costs[2]
