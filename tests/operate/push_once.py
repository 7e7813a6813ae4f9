"""Push until nothing waits: ``python push_once.py STORE URL SECRET``; it may be killed."""

from __future__ import annotations

import sys
import time

from twin.operate.audit import audit_key
from twin.operate.connectors.rest import Rest
from twin.operate.database import connect
from twin.operate.outbox import Patience, Pusher


def main(store: str, url: str, secret: str) -> None:
    engine = connect(store)
    erp = Rest("erp", url, secret.encode(), timeout_s=2.0)
    pusher = Pusher(engine, {"erp": erp}, audit_key(),
                    patience=Patience(lease_s=0.3, first_s=0.02, longest_s=0.2))
    until = time.monotonic() + 30.0
    while pusher.next_due() is not None and time.monotonic() < until:
        pusher.push()
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:4])
