"""A department in the portal: import, publish, go live by a second person, decide what apps ask for."""

import io
import zipfile

import pytest

from tests.portal.departments import CONTRACT, make_department, running_library
from tests.visitor import Visitor

TEXT = CONTRACT.read_text()


@pytest.fixture(scope="module")
def department(installation, server):
    return make_department(installation, server)


@pytest.fixture(scope="module")
def imported(department):
    page = department.upload(TEXT)
    assert page.url.endswith("/services/library-cards@v1"), page.text[:2000]
    return page


@pytest.fixture(scope="module")
def published(department, imported):
    page = department.head.submit(imported, "/publish/sandbox")
    assert "已发布到沙箱" in page.text
    return page


@pytest.fixture(scope="module")
def live(department, published, shared_developer):
    """Published live: exercised in the sandbox, with its real system, approved by a second person."""
    with running_library() as upstream:
        app = shared_developer.make_app("library-cards@v1", name="读者助手")
        for operation in ("getCard", "createLoan"):
            page = shared_developer.open(f"/catalogue/library-cards/v1/operations/{operation}")
            answer = shared_developer.submit(page, operation)
            assert answer.with_class("sample"), answer.text[:1500]
        staff = department.head.make_app(
            "library-cards@v1", name="内部", organisation=department_id(department)
        )
        page = department.head.open("/catalogue/library-cards/v1/operations/listStaffNotes")
        department.head.submit(page, "listStaffNotes", app=staff.url.rpartition("/")[2])
        page = department.head.open(f"{department.path}/services/library-cards@v1")
        page = department.head.submit(page, "/publish/live", upstream=upstream)
        assert "等待本部门另一位审批人" in page.text
        page = department.approver.open("/approvals")
        page = department.approver.open(page.link("/approvals/ap_"))
        assert upstream in page.text
        page = department.approver.submit(page, "/approve")
        assert "已批准" in page.text
        yield app


def department_id(department):
    page = department.head.open("/apps/new")
    options = [one for one in page.all("option") if one.text == "样例图书馆"]
    return options[0].attributes["value"]


def test_an_upload_shows_findings_losses_and_verdicts(imported):
    for word in ("检查结果", "损失", "各通道", "REST 接口", "发布到沙箱"):
        assert word in imported.text


def test_a_broken_document_says_what_to_mend_and_stores_nothing_published(department):
    page = department.upload("openapi: 3.1.0\ninfo: {title: x", expect=422)
    assert "没有导入" in page.text
    assert page.with_class("bad")
    page = department.upload("!!python/object:os.system [x]", expect=422)
    assert "Traceback" not in page.source


def test_an_upload_without_a_file_is_told_at_the_field(department):
    page = department.head.open(f"{department.path}/import")
    page = department.head.submit(page, "/import", expect=422, files=[("files", ("", b"", "text/plain"))])
    assert "files" in page.errors()


def test_a_zip_of_files_is_read(department):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("openapi.yaml", TEXT.replace("library-cards", "library-zipped"))
    page = department.head.open(f"{department.path}/import")
    files = [("files", ("library.zip", packed.getvalue(), "application/zip"))]
    page = department.head.submit(page, "/import", files=files)
    assert page.url.endswith("library-zipped@v1")


def test_the_public_page_shows_texts_safely_and_hides_what_is_for_departments(server, published):
    anybody = Visitor(server.url, language="en")
    page = anybody.open("/catalogue/library-cards/v1")
    assert page.heading() == "Reader's cards"
    assert "<script>alert" not in page.source
    assert "getCard" in page.source
    assert "listStaffNotes" not in page.source
    anybody.open("/catalogue/library-cards/v1/operations/listStaffNotes", expect=404)


def test_a_synthetic_answer_says_so(published, shared_developer):
    assert "按契约合成" in shared_developer.open("/catalogue/library-cards/v1").text


def test_the_overlay_is_edited_and_checked(department, published):
    page = department.head.submit(published, "/overlay", expect=422, overlay="{no json")
    assert "不是合法的 JSON" in page.text
    page = department.head.submit(page, "/overlay", expect=422, overlay="[]")
    assert "overlay" in page.errors() or page.with_class("bad")


def test_going_live_takes_the_checklist(department, published):
    page = department.head.open(f"{department.path}/services/library-cards@v1")
    page = department.head.submit(page, "/publish/live", expect=409)
    assert "不能发布" in page.text


def test_a_stranger_sees_no_workspace(department, shared_developer):
    shared_developer.open(department.path, expect=404)
    shared_developer.open(f"{department.path}/services/library-cards@v1", expect=404)
    shared_developer.open("/administration", expect=403)


def test_nobody_approves_their_own_request_and_a_second_person_does(department, live):
    page = department.approver.open("/approvals")
    assert "library-cards@v1" in page.text
    page = department.head.open("/catalogue/library-cards/v1")
    assert "正式" in page.text


def test_an_app_goes_live_and_its_request_is_rejected_with_a_reason_then_approved(
    department, live, shared_developer
):
    developer = shared_developer
    page = developer.open(f"{live.url}/go-live")
    page = developer.submit(
        page, "/go-live", privacy_notice_url="https://bank.example/privacy",
        purpose="为读者服务平台核验读者证,用于线上借书。", security_contact="security@bank.example",
        retention="核验结果保存六个月后删除。", terms_accepted="yes",
    )  # fmt: skip
    assert "正式应用已创建" in page.text
    assert page.with_class("secret")[0].text.strip().startswith("kls_")
    assert "待审批" in page.text
    live_address = page.url

    approver = department.approver
    page = approver.open("/approvals")
    link = next(
        one.attributes["href"] for one in page.all("a") if "读者助手" in one.text and one.attributes["href"].startswith("/approvals/")
    )  # fmt: skip
    page = approver.open(link)
    assert "用于线上借书" in page.text
    page = approver.submit(page, "/comment", text="请补充使用量。")
    assert "请补充使用量" in page.text
    refused = approver.open(link)
    refused.form("/approve").action = refused.form("/approve").buttons[1].attributes["formaction"]
    page = approver.submit(refused, "/reject", expect=422)
    assert "reason" in page.errors()
    refused = approver.open(link)
    refused.form("/approve").action = refused.form("/approve").buttons[1].attributes["formaction"]
    approver.submit(refused, "/reject", reason="用途不够具体。")
    page = developer.open(live_address)
    assert "已驳回" in page.text
    assert "用途不够具体" in page.text

    page = developer.submit(page, "/subscriptions", service="library-cards@v1")
    assert "等待主管部门审批" in page.text
    page = developer.open("/approvals")
    mine = developer.open(page.link("/approvals/ap_"))
    assert not mine.has_form("/approve")
    page = approver.open("/approvals")
    page = approver.submit(approver.open(page.link("/approvals/ap_")), "/approve")
    assert "待审批" not in developer.open(live_address).text


def test_a_breaking_change_names_the_apps_and_takes_a_reason(department, live):
    changed = TEXT.replace("  /cards/{number}:", "  /readers/{number}:").replace("1.0.0", "1.1.0")
    page = department.upload(changed)
    assert "不兼容" in page.text
    assert "读者助手" in page.text
    page = department.head.submit(page, "/publish/sandbox", expect=409)
    assert page.has_form("/publish/sandbox")
    page = department.head.submit(page, "/publish/sandbox", force_reason="试验新路径,已通知。")
    assert "已发布到沙箱" in page.text
    assert "试验新路径" in page.text


def test_taking_a_version_out_takes_a_reason(department, imported):
    page = department.upload(TEXT.replace("library-cards", "library-short"))
    page = department.head.submit(page, "/publish/sandbox")
    page = department.head.submit(page, "/withdraw/sandbox", expect=422, reason="")
    assert "reason" in page.errors()
    page = department.head.submit(page, "/withdraw/sandbox", reason="发布有误。")
    assert "已下线" in page.text
    department.head.open("/catalogue/library-short/v1", expect=404)


def test_hostile_file_names_and_roots(department):
    page = department.upload(TEXT, name="../../../../etc/passwd")
    assert "/services/" in page.url


def test_a_subscription_is_held_and_goes_on(department, live, shared_developer):
    page = department.approver.open(f"{department.path}/services/library-cards@v1")
    page = department.approver.submit(page, "/suspend", expect=422, hold_reason="")
    assert "hold_reason" in page.errors()
    page = department.approver.submit(page, "/suspend", hold_reason="调用异常,请联系我们。")
    assert "订阅已暂停" in page.text
    page = department.approver.submit(page, "/resume")
    assert "订阅已恢复" in page.text


def test_the_end_of_a_version_is_announced_and_taken_back(department, imported, visitor):
    page = department.upload(TEXT.replace("library-cards", "library-old"))
    page = department.head.submit(page, "/publish/sandbox")
    page = department.head.submit(page, "/retire", expect=409, sunset="2026-12-01")
    assert page.with_class("bad")
    page = department.head.submit(page, "/retire", sunset="2027-99-99", expect=422)
    assert "sunset" in page.errors()
    page = department.head.submit(page, "/retire", sunset="2030-01-01", successor="library-cards@v1")
    assert "2030-01-01" in page.text
    assert "2030-01-01" in visitor.open("/catalogue/library-old/v1").text
    page = department.head.submit(page, "/unretire")
    assert "已撤销下线" in page.text
    page = department.head.submit(page, "/status", status="stable")
    assert "稳定" in page.text
