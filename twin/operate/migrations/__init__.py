"""The schema of the operational store, step by step; alembic's operations, one list of steps.

A store knows how many steps it has taken (table `schema_version`). A step, once released, is never
changed: what changes the schema is a new step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.operate.migrations import step_0001, step_0002

if TYPE_CHECKING:
    from sqlalchemy import Engine

STEPS = (step_0001.upgrade, step_0002.upgrade)


def upgrade(engine: Engine) -> int:
    """Take the steps that a store lacks; how many it has taken now.

    Two processes may open a new store at once: one takes the steps, the other finds them taken.
    """
    import sqlalchemy as sa
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(727100001)"))
        connection.execute(sa.text(
            "create table if not exists schema_version (step integer primary key)"))
        taken = connection.execute(sa.text("select max(step) from schema_version")).scalar() or 0
        if taken > len(STEPS):
            from twin.operate.database import StoreError

            raise StoreError(f"the store has taken {taken} steps of its schema, this version knows "
                             f"{len(STEPS)}. Use a newer version of the twin.")
        operations = Operations(MigrationContext.configure(connection))
        for number, step in enumerate(STEPS[taken:], start=taken + 1):
            step(operations)
            connection.execute(sa.text("insert into schema_version (step) values (:n)"),
                               {"n": number})
    return len(STEPS)
