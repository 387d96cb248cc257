"""An event as the world sees it: a CloudEvent in structured mode. The same bytes pushed and fetched.

Source: CloudEvents 1.0.2 JSON format; the extension `sequence` with `sequencetype`.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from api.core import clock

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
HANDSHAKE_TYPE = "gov.kaimen.webhook.handshake"
_encode = msgspec.json.Encoder().encode


def moment_of(microseconds: int) -> datetime:
    """The instant that a column of the plane store holds."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def text_of(microseconds: int) -> str | None:
    """RFC 3339, None for 0."""
    return clock.to_text(moment_of(microseconds)) if microseconds else None


def cloud_event(row: dict[str, Any]) -> dict[str, Any]:
    """The CloudEvent of a row of event and feed (`EVENT_COLUMNS`). `data` is a `msgspec.Raw`, as it was written."""
    event = {
        "specversion": "1.0",
        "id": row["id"],
        "source": "/api/" + row["source"].replace("@", "/"),
        "type": row["type"],
        "subject": row["subject"],
        "time": text_of(row["time"]),
        "datacontenttype": "application/json",
        "sequence": str(row["sequence"]),  # of the subject, in this app's feed: 1, 2, 3 …
        "sequencetype": "Integer",
    }
    if row["request_id"]:
        event["kaimenrequest"] = row["request_id"]  # `kaimen request show` explains it
    event["data"] = msgspec.Raw(row["data"].encode())
    return event


def body_of(row: dict[str, Any]) -> bytes:
    """The bytes that are sent and signed."""
    return _encode(cloud_event(row))


def handshake(event_id: str, endpoint_id: str, challenge: str) -> bytes:
    """The first message to an endpoint: whoever echoes its challenge wants our events."""
    return _encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/platform",
            "type": HANDSHAKE_TYPE,
            "subject": f"endpoint/{endpoint_id}",
            "time": clock.to_text(clock.now()),
            "datacontenttype": "application/json",
            "data": {"challenge": challenge},
        }
    )
