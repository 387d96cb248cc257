"""Webhooks in the portal, by a browser without JavaScript: register, shake hands, read the log, replay."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.events.receiver import Answer, Message, receiving
from tests.events.serving import install, tell
from tests.server import Installation, RunningServer
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def installation(home: Path) -> Installation:
    return install(home)


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving() as running:
        yield running


def test_a_developer_registers_an_endpoint_and_replays(
    installation: Installation, server: RunningServer
) -> None:
    with Visitor(server.url).sign_up() as visitor:
        app_page = visitor.make_app("parcel@v1")
        app_id = re.findall(r"a_[0-9a-z]{26}", app_page.source)[0]
        page = visitor.open(f"/apps/{app_id}/webhooks")
        assert "包裹已妥投" in page.text
        refused = visitor.submit(page, f"/apps/{app_id}/webhooks", url="http://10.0.0.1/", expect=422)
        assert "不能发送到此地址" in refused.text

        answers: list[Answer] = []

        def by_turns(message: Message) -> Answer:
            return answers.pop(0) if answers else (200, {}, b"<b>fine</b>")

        with receiving(by_turns) as receiver:
            page = visitor.submit(
                page, f"/apps/{app_id}/webhooks", url=receiver.url, event_types=["parcel.delivered"]
            )
            secret = page.with_class("secret")[0].text.strip()
            base = page.url.removeprefix(server.url)
            assert secret.startswith("whsec_")
            assert secret not in visitor.open(base).text, "it is shown once"
            receiver.echoes = False
            page = visitor.submit(page, f"{base}/verify", expect=422)
            assert "没有回送挑战值" in page.text
            receiver.echoes = True
            page = visitor.submit(page, f"{base}/verify")
            assert "启用" in page.text

            answers.append((500, {}, b"<script>alert(1)</script>"))
            asyncio.run(tell(installation, app_id, range(1)))
            receiver.wait_for(2)
            Webhook(secret).verify(receiver.messages[-1].body, receiver.messages[-1].headers)
            for _ in range(100):
                page = visitor.open(f"{base}?state=delivered")
                if "parcel/0" in page.text:
                    break
            detail = visitor.open(page.link(f"/apps/{app_id}/deliveries/"))
            assert "<script>alert" not in detail.source
            assert "&lt;script&gt;alert(1)" in detail.source
            assert "webhook" in detail.source
            visitor.submit(detail, "/replay")
            receiver.wait_for(3)
            page = visitor.submit(visitor.open(base), f"{base}/replay", what="24")
            assert "1 个事件已排入重发" in page.text
            receiver.wait_for(4)
            assert len(set(receiver.ids)) == 1
            page = visitor.submit(visitor.open(base), f"{base}/rotate")
            assert page.with_class("secret")[0].text.strip() not in {"", secret}

            answers.append((410, {}, b""))
            asyncio.run(tell(installation, app_id, range(1, 2)))
            receiver.wait_for(5)
            for _ in range(100):
                page = visitor.open(base)
                if "410 Gone" in page.text:
                    break
            assert "410 Gone" in page.text
            assert "端点已停用" in visitor.open("/outbox").text
            assert "接收方回答 410" in visitor.open(page.link(f"/apps/{app_id}/deliveries/")).text
            page = visitor.submit(page, f"{base}/delete")
            assert receiver.url in page.text
