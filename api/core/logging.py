"""Structured logs: one JSON object a line, an event name that never changes, and no personal data.

Never log a token, a body, a query string or a name; the request id is what joins log, record and answer.
"""

import logging
import sys
import traceback

import msgspec

from api.core import clock

_logger = logging.getLogger("kaimen")
_encoder = msgspec.json.Encoder()


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": clock.to_text(clock.now()),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "facts", {})
        return _encoder.encode(line).decode()


def configure(level: str) -> None:
    """Send our log as JSON lines to standard error at this level. Other libraries stay at WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _logger.setLevel(level.upper())


def log(event: str, **facts: str | float | bool | None) -> None:
    """An event at level info."""
    _logger.info(event, extra={"facts": facts})


def log_warning(event: str, **facts: str | float | bool | None) -> None:
    """An event that an operator should look at."""
    _logger.warning(event, extra={"facts": facts})


def log_failure(event: str, error: BaseException, **facts: str | float | bool | None) -> None:
    """A defect: the exception's type and where it was raised; its text may hold data, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    _logger.error(event, extra={"facts": {**facts, "error": type(error).__name__, "where": where}})
