"""What receivers have said on topics, taken into the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from twin.operate import answers
from twin.operate.configuration import Configuration, TopicWay
from twin.operate.connectors.contract import Connector, Unreachable
from twin.operate.connectors.topic import Topic
from twin.operate.database import writing

if TYPE_CHECKING:
    from sqlalchemy import Engine


def hear_replies(engine: Engine, key: bytes, configuration: Configuration,
                 connectors: Callable[[], Mapping[str, Connector]]) -> None:
    """Take in every reply that has come; a broker that is away is asked the next time.

    Parameters
    ----------
    key
        Of the log.
    connectors
        Opens the ways out; it is called only if one of them has a topic of replies.
    """
    if not any(isinstance(way, TopicWay) and way.replies
               for way in configuration.connectors.values()):
        return
    for name, connector in connectors().items():
        if not isinstance(connector, Topic):
            continue
        with suppress(Unreachable):
            for reply in connector.replies():
                with suppress(answers.AnswerError), writing(engine) as connection:
                    answers.hear(connection, key, name, {
                        "id": reply.event, "type": f"twin.{reply.said}",
                        "data": {"key": reply.key, "why": reply.why}})
