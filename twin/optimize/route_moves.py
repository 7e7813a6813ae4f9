"""The inner loop of fleet reduction over plain arrays: insert, eject, shake.

Compiled by Numba where it is installed (the extra ``fast``). Stops are numbers, and the depot is
one more; a request is a stop, or a pickup and its drop (`second` -1: none). `data` holds

    travel      hours between stops, depot last      opens, closes, service   of stops
    loads       stops x kinds: brought; of a pickup negative    caps          of a truck
    first, second                                    stops of a request
    request     of a stop                            span     earliest and latest hour of a truck

Every route keeps its soonest and latest starts of service, and what is on board at most before each
place, so that an insertion is tried in constant time.
"""

# ruff: noqa: NPY002, RUF059  (compiled code has this one generator; the parts keep their names)

from __future__ import annotations

from typing import Any

import numpy as np

from twin.optimize.tabu_moves import compiled

_EPS = 1e-9


@compiled
def fill(data: Any, seq: Any, size: int, soon: Any, late: Any, board: Any, most: Any) -> bool:
    """Times and loads of a route; False if it cannot be driven."""
    travel, opens, closes, service, loads, caps, first, second, request, span = data
    depot, kinds = len(opens), len(caps)
    for k in range(kinds):
        board[0, k] = 0.0
        for i in range(size):
            if second[request[seq[i]]] < 0:
                board[0, k] += loads[seq[i], k]
        most[0, k] = board[0, k]
        for i in range(size):
            board[i + 1, k] = board[i, k] - loads[seq[i], k]
            most[i + 1, k] = max(most[i, k], board[i + 1, k])
        if most[size, k] > caps[k] + _EPS:
            return False
    here, now = depot, span[0]
    for i in range(size):
        stop = seq[i]
        now = max(now + travel[here, stop], opens[stop])
        if now > closes[stop] + _EPS:
            return False
        soon[i] = now
        now += service[stop]
        here = stop
    if now + travel[here, depot] > span[1] + _EPS:
        return False
    limit, after = span[1], depot
    for i in range(size - 1, -1, -1):
        stop = seq[i]
        limit = min(closes[stop], limit - travel[stop, after] - service[stop])
        late[i] = limit
        after = stop
    return True


@compiled
def place(data: Any, wish: int, seq: Any, size: int, soon: Any, late: Any, board: Any, most: Any,
          spot: Any) -> int:
    """How many feasible places a request has in a route; one of them, at random, in `spot`."""
    travel, opens, closes, service, loads, caps, first, second, request, span = data
    depot, kinds = len(opens), len(caps)
    one, two, seen = first[wish], second[wish], 0
    for p in range(size + 1):
        if p == 0:
            here, left = depot, span[0]
        else:
            here = seq[p - 1]
            left = soon[p - 1] + service[here]
        now = max(left + travel[here, one], opens[one])
        if now > closes[one] + _EPS:
            continue
        fits = True
        for k in range(kinds):
            if two < 0:
                fits = fits and most[p, k] + loads[one, k] <= caps[k] + _EPS
            else:
                fits = fits and board[p, k] - loads[one, k] <= caps[k] + _EPS
        if not fits:
            continue
        now += service[one]
        if two < 0:
            after = seq[p] if p < size else depot
            limit = late[p] if p < size else span[1]
            if now + travel[one, after] <= limit + _EPS:
                seen += 1
                if np.random.randint(seen) == 0:
                    spot[0], spot[1] = p, -1
            continue
        here = one
        for q in range(p, size + 1):
            drop = max(now + travel[here, two], opens[two])
            if drop <= closes[two] + _EPS:
                after = seq[q] if q < size else depot
                limit = late[q] if q < size else span[1]
                if drop + service[two] + travel[two, after] <= limit + _EPS:
                    seen += 1
                    if np.random.randint(seen) == 0:
                        spot[0], spot[1] = p, q
            if q == size:
                break
            stop = seq[q]
            now = max(now + travel[here, stop], opens[stop])
            if now > late[q] + _EPS:
                break
            now += service[stop]
            here = stop
            for k in range(kinds):
                fits = fits and board[q + 1, k] - loads[one, k] <= caps[k] + _EPS
            if not fits:
                break
    return seen


@compiled
def inserted(seq: Any, size: int, one: int, two: int, p: int, q: int, into: Any) -> int:
    """A route with a request at a place, written to `into`; its size."""
    count = 0
    for i in range(size + 1):
        if i == p:
            into[count] = one
            count += 1
        if two >= 0 and i == q:
            into[count] = two
            count += 1
        if i < size:
            into[count] = seq[i]
            count += 1
    return count


@compiled
def without(request: Any, seq: Any, size: int, a: int, b: int, c: int, into: Any) -> int:
    """A route without up to three requests; its size."""
    count = 0
    for i in range(size):
        r = request[seq[i]]
        if r != a and r != b and r != c:
            into[count] = seq[i]
            count += 1
    return count


@compiled
def copy_route(seq: Any, size: int, into: Any) -> None:
    """Copy the stops."""
    for i in range(size):
        into[i] = seq[i]


@compiled
def settle(data: Any, routes: Any, r: int, spare: Any, size: int) -> None:
    """Make `spare` the route r."""
    seq, sizes, soon, late, board, most, where = routes
    copy_route(spare, size, seq[r])
    sizes[r] = size
    fill(data, seq[r], size, soon[r], late[r], board[r], most[r])
    for i in range(size):
        where[data[8][spare[i]]] = r


@compiled
def insert(data: Any, routes: Any, wish: int, count: int, spare: Any, spot: Any) -> bool:
    """Insert a request at a random place of the first route, from a random one on, that has one."""
    seq, sizes, soon, late, board, most, where = routes
    begin = np.random.randint(count)
    for turn in range(count):
        r = (begin + turn) % count
        if place(data, wish, seq[r], sizes[r], soon[r], late[r], board[r], most[r], spot) > 0:
            size = inserted(seq[r], sizes[r], data[6][wish], data[7][wish], spot[0], spot[1],
                            spare)
            settle(data, routes, r, spare, size)
            return True
    return False


@compiled
def eject(data: Any, routes: Any, wish: int, count: int, weight: Any, deepest: int, work: Any,
          gone: Any) -> bool:
    """Insert a request by taking out up to three others, those least often hard to place.

    The requests taken out are written to `gone` (-1: none).
    """
    seq, sizes, soon, late, board, most, where = routes
    spare, soon1, late1, board1, most1, spot, inside = work
    request = data[8]
    best, best_r, ties = 1 << 60, -1, 0
    keep = np.full(3, -1, np.int64)
    for r in range(count):
        held = 0
        for i in range(sizes[r]):
            if data[6][request[seq[r, i]]] == seq[r, i]:
                inside[held] = request[seq[r, i]]
                held += 1
        for a in range(held):
            one = weight[inside[a]]
            if one > best:
                continue
            for b in range(a, held):
                if b > a and deepest < 2:
                    break
                two = one + (weight[inside[b]] if b > a else 0)
                if two > best:
                    continue
                for c in range(b, held):
                    if c > b and (b == a or deepest < 3):
                        break
                    total = two + (weight[inside[c]] if c > b else 0)
                    if total > best or (total == best and ties > 6):
                        continue
                    x = inside[b] if b > a else -1
                    y = inside[c] if c > b else -1
                    size = without(request, seq[r], sizes[r], inside[a], x, y, spare)
                    if not fill(data, spare, size, soon1, late1, board1, most1):
                        continue
                    if place(data, wish, spare, size, soon1, late1, board1, most1, spot) == 0:
                        continue
                    ties = ties + 1 if total == best else 1
                    if total < best or np.random.randint(ties) == 0:
                        best, best_r = total, r
                        keep[0], keep[1], keep[2] = inside[a], x, y
    if best_r < 0:
        return False
    size = without(request, seq[best_r], sizes[best_r], keep[0], keep[1], keep[2], spare)
    copy_route(spare, size, seq[best_r])
    sizes[best_r] = size
    r = best_r
    fill(data, seq[r], size, soon[r], late[r], board[r], most[r])
    place(data, wish, seq[r], size, soon[r], late[r], board[r], most[r], spot)
    size = inserted(seq[r], size, data[6][wish], data[7][wish], spot[0], spot[1], spare)
    settle(data, routes, r, spare, size)
    for k in range(3):
        gone[k] = keep[k]
        if keep[k] >= 0:
            where[keep[k]] = -1
    return True


@compiled
def shake(data: Any, routes: Any, count: int, moves: int, work: Any) -> None:
    """Random feasible moves: one request to another route, or two that change places."""
    seq, sizes, soon, late, board, most, where = routes
    spare, soon1, late1, board1, most1, spot, inside = work
    first, second, request = data[6], data[7], data[8]
    other = np.empty_like(spare)
    for _ in range(moves):
        mine = np.random.randint(len(first))
        r = where[mine]
        if r < 0:
            continue
        if np.random.randint(2) == 0:
            to = np.random.randint(count)
            if to == r or place(data, mine, seq[to], sizes[to], soon[to], late[to], board[to],
                                most[to], spot) == 0:
                continue
            size = inserted(seq[to], sizes[to], first[mine], second[mine], spot[0], spot[1], spare)
            left = without(request, seq[r], sizes[r], mine, -1, -1, other)
            if not fill(data, other, left, soon1, late1, board1, most1):
                continue
            settle(data, routes, to, spare, size)
            settle(data, routes, r, other, left)
            continue
        theirs = np.random.randint(len(first))
        to = where[theirs]
        if to < 0 or to == r:
            continue
        left = without(request, seq[r], sizes[r], mine, -1, -1, spare)
        if not fill(data, spare, left, soon1, late1, board1, most1) or place(
                data, theirs, spare, left, soon1, late1, board1, most1, spot) == 0:
            continue
        left = inserted(spare.copy(), left, first[theirs], second[theirs], spot[0], spot[1], spare)
        size = without(request, seq[to], sizes[to], theirs, -1, -1, other)
        if not fill(data, other, size, soon1, late1, board1, most1) or place(
                data, mine, other, size, soon1, late1, board1, most1, spot) == 0:
            continue
        size = inserted(other.copy(), size, first[mine], second[mine], spot[0], spot[1], other)
        settle(data, routes, r, spare, left)
        settle(data, routes, to, other, size)


@compiled
def empty_pool(data: Any, routes: Any, count: int, pool: Any, waiting: int, weight: Any,
               steps: int, shakes: int, deepest: int, work: Any) -> int:
    """Place what waits in the pool, last in first out; how many still wait after so many steps."""
    spare, spot = work[0], work[5]
    gone = np.full(3, -1, np.int64)
    for _ in range(steps):
        if waiting == 0:
            break
        waiting -= 1
        wish = pool[waiting]
        if insert(data, routes, wish, count, spare, spot):
            continue
        weight[wish] += 1
        if not eject(data, routes, wish, count, weight, deepest, work, gone):
            pool[waiting] = wish
            waiting += 1
            shake(data, routes, count, shakes, work)
            continue
        for k in range(3):
            if gone[k] >= 0:
                pool[waiting] = gone[k]
                waiting += 1
        shake(data, routes, count, shakes, work)
    return waiting


@compiled
def seeded(seed: int) -> None:
    """Set the compiled code's own generator."""
    np.random.seed(seed)
