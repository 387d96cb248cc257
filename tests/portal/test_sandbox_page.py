"""An app's sandbox in the portal: the clock, snapshots, a reset and its undo; without JavaScript, over HTTP."""


def sandbox_of(developer):
    page = developer.make_app("company@v1")
    address = page.url.rstrip("/") + "/sandbox"
    assert (
        f'href="{page.url.removeprefix(developer.url).rstrip("/")}/sandbox"'
        in developer.open(page.url).source
    )
    return developer.open(address)


def test_the_clock_goes_forward_and_back_to_the_real_time(developer):
    page = sandbox_of(developer)
    assert "2026-06-30 09:00" in page.text
    assert "停在城市普查那天" in page.text
    page = developer.submit(page, "/sandbox/advance", advance="P30D")
    assert "时钟已拨动" in page.text
    assert "2026-07-30 09:00" in page.text
    page = developer.submit(page, "/clock/real")
    assert "显示真实时间" in page.text
    assert not page.has_form("/clock/real")


def test_a_moment_is_beijing_time(developer):
    page = sandbox_of(developer)
    page = developer.submit(page, "/sandbox/clock", now="2031-05-06T07:08")
    assert "2031-05-06 07:08" in page.text
    page = developer.submit(page, "/sandbox/clock", now="1999-01-01T00:00", expect=422)
    assert "普查" in page.text


def test_a_snapshot_a_reset_and_the_way_back(developer):
    page = developer.submit(sandbox_of(developer), "/sandbox/advance", advance="P1Y")
    page = developer.submit(page, "/sandbox/snapshots", snapshot="a-year-on")
    assert "已保存快照 a-year-on" in page.text
    page = developer.submit(page, "/sandbox/snapshots", snapshot="a-year-on", expect=409)
    assert "已有名为 a-year-on 的快照" in page.text
    page = developer.submit(page, "/sandbox/snapshots", snapshot="No Such Name", expect=422)
    page = developer.submit(developer.open(page.url.removesuffix("/snapshots")), "/sandbox/reset")
    assert "停在城市普查那天" in page.text
    assert "before-reset" in page.text
    page = developer.submit(page, "/a-year-on/restore")
    assert "2027-06-30 09:00" in page.text
    page = developer.submit(page, "/a-year-on/delete")
    assert "已删除快照 a-year-on" in page.text


def test_a_stranger_sees_no_sandbox(developer, visitor):
    page = sandbox_of(developer)
    visitor.sign_up("路人")
    visitor.open(page.url.removeprefix(developer.url), expect=404)
