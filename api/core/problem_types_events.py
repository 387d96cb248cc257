"""Problem types of events and webhooks; see problem_types_platform for those of the platform API at large."""

from api.core.problems import define

WEBHOOK_HANDSHAKE_FAILED = define(
    "webhook-handshake-failed",
    422,
    ("端点没有通过握手", "The endpoint did not pass the handshake"),
    ("{reason}", "{reason}"),
    (
        "让端点以 2xx 回答 gov.kaimen.webhook.handshake 事件，正文回送 data.challenge，然后重新验证。",
        "Answer the event gov.kaimen.webhook.handshake with a 2xx whose body echoes data.challenge, then verify again.",
    ),
    (
        "端点没有应答、应答不是 2xx，或没有回送挑战值；在此之前不会发送任何事件。",
        "It gave no answer, none of 2xx, or did not echo the challenge; no event is sent before it does.",
    ),
)
