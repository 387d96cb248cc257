"""The catalogue: finding services, reading them, trying an operation with its scenarios."""

import re

from tests.visitor import Visitor


def test_search_finds_by_chinese_and_english_words(visitor):
    page = visitor.submit(visitor.open("/catalogue"), "/catalogue", q="企业")
    assert page.link("/catalogue/company/v1")
    page = visitor.open("/catalogue?q=credit+rating")
    assert page.link("/catalogue/tax/v1")
    page = visitor.open("/catalogue?q=zzzz-nothing")
    assert "没有符合条件的服务" in page.text
    assert page.link("/catalogue")


def test_the_whole_directory_is_offered_in_its_three_forms(visitor):
    page = visitor.open("/catalogue")
    for path, kind in (
        ("/catalogue/directory.xlsx", "spreadsheetml.sheet"),
        ("/catalogue/directory.csv", "text/csv"),
        ("/catalogue/dcat.jsonld", "ld+json"),
    ):
        assert page.link(path)
        answer = visitor.http.get(path)
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]


def test_filters_narrow_and_stay_in_the_address(visitor):
    page = visitor.open("/catalogue")
    departments = [one.attributes["value"] for one in page.all("option") if "市场监督管理局" in one.text]
    page = visitor.submit(page, "/catalogue", department=departments[0])
    assert page.link("/catalogue/company/v1")
    assert not any(one.attributes.get("href", "").startswith("/catalogue/tax/v1") for one in page.all("a"))
    assert f"department={departments[0]}" in page.url
    page = visitor.submit(page, "/catalogue", level="L4")
    assert "没有符合条件的服务" in page.text


def test_a_service_page_tells_what_a_developer_has_to_know(visitor):
    page = visitor.open("/catalogue/company/v1")
    for word in (
        "市场监督管理局",
        "company:profile:read",
        "承诺与实测",
        "可用率",
        "沙箱地址",
        "场景",
        "not-found",
    ):
        assert word in page.text, word
    for form in ("yaml", "json"):
        answer = visitor.http.get(page.link(f"/catalogue/company/v1/openapi.{form}"))
        assert answer.status_code == 200
        assert "getCompany" in answer.text


def test_an_operation_page_has_parameters_samples_and_answers(visitor):
    page = visitor.open("/catalogue/company/v1/operations/getCompany")
    labels = [one.text.strip() for one in page.all("label")]
    for language in ("curl", "Python", "TypeScript", "Java", "Go"):
        assert language in labels
    assert "KAIMEN_TOKEN" in page.source
    assert "依法公开" in page.text
    assert "登录并创建沙箱应用后" in page.text


def test_trying_takes_a_subscribed_app_and_checks_the_form(server, developer):
    address = "/catalogue/company/v1/operations/getCompany"
    assert "都没有订阅此服务" in developer.open(address).text
    developer.make_app("company@v1")
    page = developer.open(address)
    page = developer.submit(page, "getCompany", expect=422, **{"path.code": ""})
    assert "path.code" in page.errors()
    page = developer.submit(page, "getCompany", **{"path.code": "not a code/../x"})
    assert "parameter-invalid" in page.text


def test_every_scenario_of_the_page_gives_what_it_says(developer):
    developer.make_app("company@v1")
    page = developer.open("/catalogue/company/v1")
    links = [
        one.attributes["href"] for one in page.all("a") if "?scenario=" in one.attributes.get("href", "")
    ]
    assert len(links) > 10
    statuses = re.findall(
        r"<tr><th scope=\"row\"><code>([^<]+)</code>.*?<span class=\"tag[^\"]*\">(\d{3})</span>",
        page.source,
        re.DOTALL,
    )
    assert len(statuses) == len(links)
    for link, (scenario, status) in list(zip(links, statuses, strict=True))[:8]:
        form = developer.open(link.partition("#")[0])
        operation = link.partition("?")[0].rpartition("/")[2]
        assert ("scenario", scenario) in form.form(operation).fields
        answer = developer.submit(form, operation)
        shown = re.search(r"答复 (\d{3})", answer.text)
        assert shown, answer.text[:800]
        assert shown.group(1) == status, (scenario, answer.text[:1500])


def test_a_wrong_version_or_operation_is_not_found(visitor):
    visitor.open("/catalogue/company/v9", expect=404)
    visitor.open("/catalogue/company/v1/operations/nothing", expect=404)
    assert visitor.open("/services/company@v1").url.endswith("/catalogue/company/v1")


def test_the_figures_of_the_home_page_are_those_of_the_catalogue(server):
    visitor = Visitor(server.url)
    home = visitor.open("/")
    found = int(re.search(r"(\d+) 项服务", visitor.open("/catalogue").text).group(1))
    assert re.search(rf"\b{found}\s*项服务", home.text)
