"""The inner loop of the tabu search for job shops, flexible or not, over plain arrays.

Compiled by Numba where it is installed (the extra ``fast``); without it the same code runs as
Python, some hundred times slower. An operation is a number; -1 stands for none.

    jp, js      operation before and after in the job
    mp, ms      operation before and after on the machine
    on, p       machine it is on, and its time there
    r, q        longest way to its start, and from its end (heads and tails)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

try:
    from numba import njit as _njit

    def compiled(function: F) -> F:
        """The function, compiled when first called; the machine code is kept between runs."""
        return cast(F, _njit(cache=True, nogil=True)(function))

    COMPILED = True
except ImportError:  # pragma: no cover

    def compiled(function: F) -> F:
        """The function as it is."""
        return function

    COMPILED = False


@compiled
def heads_and_tails(jp: Any, js: Any, mp: Any, ms: Any, p: Any, r: Any, q: Any, order: Any,
                    waits: Any) -> int:
    """Fill heads, tails and a topological order; the makespan, or -1 if there is a cycle."""
    n = len(p)
    count = 0
    for v in range(n):
        waits[v] = (jp[v] >= 0) + (mp[v] >= 0)
        if waits[v] == 0:
            order[count] = v
            r[v] = 0
            count += 1
    done = 0
    while done < count:
        v = order[done]
        done += 1
        w = jp[v]
        start = r[w] + p[w] if w >= 0 else 0
        w = mp[v]
        if w >= 0 and r[w] + p[w] > start:
            start = r[w] + p[w]
        r[v] = start
        w = js[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[count] = w
                count += 1
        w = ms[v]
        if w >= 0:
            waits[w] -= 1
            if waits[w] == 0:
                order[count] = w
                count += 1
    if count < n:
        return -1
    longest = 0
    for place in range(n - 1, -1, -1):
        v = order[place]
        w = js[v]
        tail = q[w] + p[w] if w >= 0 else 0
        w = ms[v]
        if w >= 0 and q[w] + p[w] > tail:
            tail = q[w] + p[w]
        q[v] = tail
        if r[v] + p[v] + tail > longest:
            longest = r[v] + p[v] + tail
    return longest


@compiled
def critical_path(js: Any, ms: Any, p: Any, r: Any, q: Any, longest: int, path: Any,
                  luck: Any) -> int:
    """Write one longest path, drawn at random among several; its length."""
    n = len(p)
    count = 0
    v = -1
    ties = 0
    for u in range(n):
        if r[u] == 0 and p[u] + q[u] == longest:
            ties += 1
            if int(luck.random() * ties) == 0:
                v = u
    while v >= 0:
        path[count] = v
        count += 1
        end = r[v] + p[v]
        a, b = js[v], ms[v]
        take_a = a >= 0 and r[a] == end and end + p[a] + q[a] == longest
        take_b = b >= 0 and b != a and r[b] == end and end + p[b] + q[b] == longest
        if take_a and take_b:
            v = a if int(luck.random() * 2) == 0 else b
        elif take_a:
            v = a
        elif take_b:
            v = b
        else:
            v = -1
    return count


@compiled
def _longest_way(k: int, before: int, after: int, jp: Any, js: Any, p: Any, r: Any, q: Any,
                 sequence: Any, heads: Any) -> int:
    """The longest way through `k` operations in a new sequence between two on their machine."""
    end = r[before] + p[before] if before >= 0 else 0
    for i in range(k):
        x = sequence[i]
        w = jp[x]
        start = r[w] + p[w] if w >= 0 else 0
        if end > start:
            start = end
        heads[i] = start
        end = start + p[x]
    tail = q[after] + p[after] if after >= 0 else 0
    worst = 0
    for i in range(k - 1, -1, -1):
        x = sequence[i]
        w = js[x]
        own = q[w] + p[w] if w >= 0 else 0
        if tail > own:
            own = tail
        if heads[i] + p[x] + own > worst:
            worst = heads[i] + p[x] + own
        tail = own + p[x]
    return worst


@compiled
def moved_after(u: int, v: int, jp: Any, js: Any, mp: Any, ms: Any, p: Any, r: Any, q: Any,
                sequence: Any, heads: Any) -> int:
    """Estimate of the makespan if `u` went right after `v`, further on its machine."""
    k = 0
    x = ms[u]
    while True:
        sequence[k] = x
        k += 1
        if x == v:
            break
        x = ms[x]
    sequence[k] = u
    k += 1
    return _longest_way(k, mp[u], ms[v], jp, js, p, r, q, sequence, heads)


@compiled
def moved_before(u: int, v: int, jp: Any, js: Any, mp: Any, ms: Any, p: Any, r: Any, q: Any,
                 sequence: Any, heads: Any) -> int:
    """Estimate of the makespan if `u` went right before `v`, earlier on its machine."""
    k = 1
    x = v
    sequence[0] = u
    while x != u:
        sequence[k] = x
        k += 1
        x = ms[x]
    return _longest_way(k, mp[v], ms[u], jp, js, p, r, q, sequence, heads)


@compiled
def take_out(u: int, mp: Any, ms: Any, first: Any, on: Any) -> None:
    """Take an operation off its machine."""
    a, b = mp[u], ms[u]
    if a >= 0:
        ms[a] = b
    else:
        first[on[u]] = b
    if b >= 0:
        mp[b] = a


@compiled
def put_after(u: int, v: int, machine: int, mp: Any, ms: Any, first: Any, on: Any) -> None:
    """Put an operation on a machine right after `v`; at its front if `v` is -1."""
    b = ms[v] if v >= 0 else first[machine]
    mp[u], ms[u] = v, b
    if v >= 0:
        ms[v] = u
    else:
        first[machine] = u
    if b >= 0:
        mp[b] = u
    on[u] = machine


@compiled
def keep(on: Any, r: Any, best_on: Any, best_r: Any) -> None:
    """Copy machines and starts: by hand, since a slice takes Numba two seconds to compile."""
    for v in range(len(on)):
        best_on[v] = on[v]
        best_r[v] = r[v]


@compiled
def tabu_search(jp: Any, js: Any, alt_from: Any, alt_machine: Any, alt_time: Any, on: Any, p: Any,
                mp: Any, ms: Any, first: Any, iterations: int, patience: int, target: int,
                luck: Any, best_on: Any, best_r: Any) -> tuple[int, int]:
    """Search from the given schedule, in place; the best makespan and the iterations done.

    Stops after `iterations`, after `patience` of them without a better schedule, or at `target`.
    `best_on` and `best_r` get machine and start of each operation in the best schedule.
    """
    n, machines = len(p), len(first)
    r, q = np.zeros(n, np.int64), np.zeros(n, np.int64)
    order, waits = np.zeros(n, np.int64), np.zeros(n, np.int64)
    path, sequence, heads = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    banned = np.zeros((n, n), np.int64)  # until when a may not come before b
    left = np.zeros((n, machines), np.int64)  # until when an operation may not return
    low = 10 + n // (machines * machines)
    spread = max(2, low * 2 // 5)
    longest = heads_and_tails(jp, js, mp, ms, p, r, q, order, waits)
    best = longest
    keep(on, r, best_on, best_r)
    idle = 0
    done = 0
    while done < iterations and idle < patience and best > target:
        done += 1
        count = critical_path(js, ms, p, r, q, longest, path, luck)
        chosen = free = np.iinfo(np.int64).max
        kind, who, where = -1, -1, -1
        free_kind, free_who, free_where = -1, -1, -1
        ties = free_ties = 0
        begin = 0
        while begin < count:
            end = begin
            while end + 1 < count and on[path[end + 1]] == on[path[begin]] \
                    and ms[path[end]] == path[end + 1]:
                end += 1
            if end > begin:
                head, tail = path[begin], path[end]
                for i in range(begin, end + 1):
                    u = path[i]
                    for turn in range(4):
                        # 0: u behind the block, 1: u before it, 2: its head inside, 3: its tail
                        if turn == 0:
                            a, b, forward = u, tail, True
                        elif turn == 1:
                            a, b, forward = u, head, False
                        elif turn == 2:
                            a, b, forward = head, u, True
                        else:
                            a, b, forward = tail, u, False
                        if a == b or (turn == 2 and u == tail) or (turn == 3 and u == head) \
                                or (turn == 1 and i == begin + 1 and end == begin + 1):
                            continue
                        if forward:
                            w = js[a]
                            if w >= 0 and q[b] + p[b] < q[w] + p[w]:
                                continue
                            value = moved_after(a, b, jp, js, mp, ms, p, r, q, sequence, heads)
                        else:
                            w = jp[a]
                            if w >= 0 and r[b] + p[b] < r[w] + p[w]:
                                continue
                            value = moved_before(a, b, jp, js, mp, ms, p, r, q, sequence, heads)
                        forbidden = False
                        x = ms[a] if forward else mp[a]
                        while True:
                            if (banned[x, a] if forward else banned[a, x]) > done:
                                forbidden = True
                                break
                            if x == b:
                                break
                            x = ms[x] if forward else mp[x]
                        if value < free:
                            free, free_ties = value, 1
                            free_kind, free_who, free_where = 0 if forward else 1, a, b
                        elif value == free:
                            free_ties += 1
                            if int(luck.random() * free_ties) == 0:
                                free_kind, free_who, free_where = 0 if forward else 1, a, b
                        if forbidden and value >= best:
                            continue
                        if value < chosen:
                            chosen, ties = value, 1
                            kind, who, where = 0 if forward else 1, a, b
                        elif value == chosen:
                            ties += 1
                            if int(luck.random() * ties) == 0:
                                kind, who, where = 0 if forward else 1, a, b
            begin = end + 1
        # to another machine
        for i in range(count):
            u = path[i]
            if alt_from[u + 1] - alt_from[u] < 2:
                continue
            a, b = jp[u], js[u]
            ready = r[a] + p[a] if a >= 0 else 0
            after = q[b] + p[b] if b >= 0 else 0
            latest = r[b] + p[b] if b >= 0 else np.iinfo(np.int64).max
            for k in range(alt_from[u], alt_from[u + 1]):
                machine = alt_machine[k]
                if machine == on[u]:
                    continue
                x = -1
                y = first[machine]
                while True:
                    # between x and y: no way from our successor to x, none from y to our job
                    if x >= 0 and r[x] >= latest:
                        break
                    if y < 0 or a < 0 or r[y] + p[y] > r[a]:
                        start = ready
                        if x >= 0 and r[x] + p[x] > start:
                            start = r[x] + p[x]
                        tail = after
                        if y >= 0 and q[y] + p[y] > tail:
                            tail = q[y] + p[y]
                        value = start + alt_time[k] + tail
                        code = 2 + k
                        if value < free:
                            free, free_ties = value, 1
                            free_kind, free_who, free_where = code, u, x
                        if not (left[u, machine] > done and value >= best):
                            if value < chosen:
                                chosen, ties = value, 1
                                kind, who, where = code, u, x
                            elif value == chosen:
                                ties += 1
                                if int(luck.random() * ties) == 0:
                                    kind, who, where = code, u, x
                    if y < 0:
                        break
                    x, y = y, ms[y]
        if kind < 0:
            if free_kind < 0:
                break  # nothing to move: one job is the whole path, so this is the best there is
            kind, who, where = free_kind, free_who, free_where
        until = done + low + int(luck.random() * spread)
        if kind == 0:
            x = ms[who]
            while True:
                banned[who, x] = until
                if x == where:
                    break
                x = ms[x]
            take_out(who, mp, ms, first, on)
            put_after(who, where, on[who], mp, ms, first, on)
        elif kind == 1:
            x = mp[who]
            while True:
                banned[x, who] = until
                if x == where:
                    break
                x = mp[x]
            take_out(who, mp, ms, first, on)
            put_after(who, mp[where], on[who], mp, ms, first, on)
        else:
            left[who, on[who]] = until
            take_out(who, mp, ms, first, on)
            p[who] = alt_time[kind - 2]
            put_after(who, where, alt_machine[kind - 2], mp, ms, first, on)
        longest = heads_and_tails(jp, js, mp, ms, p, r, q, order, waits)
        if longest < 0:
            break  # the estimate of what is possible was wrong: never by theory
        if longest < best:
            best = longest
            keep(on, r, best_on, best_r)
            idle = 0
        else:
            idle += 1
    return best, done
