"""The comparison itself, on faces that are made to drift: each drift is named, and nothing is left out unsaid."""

from msgspec.structs import replace

from sandbox.city.inventory import read_services
from sandbox.parity.cases import cases_of
from sandbox.parity.certificate import certify, totals
from sandbox.parity.drivers.protocol import Seen

SERVICE = read_services()["post"]
OPERATIONS = {one.id for one in SERVICE.operations}


class Told:
    """A face that answers each case by a rule; it keeps a ledger as the platform would."""

    def __init__(self, name, drift="", spent=None):
        self.name, self._drift = name, drift
        self.spent = spent if spent is not None else {}

    def ask(self, case):
        key = f"{case.service}/{case.operation.id}"
        is_refusal = case.kind == "refusal"
        if not is_refusal:
            self.spent[key] = self.spent.get(key, 0) + (2 if self._drift == "charges" else 1)
        if is_refusal:
            step = "" if self._drift == "step" else "authenticate"
            return Seen(401, "token-missing", step, {"rule": "token-missing"})
        body = _full(case)
        if self._drift == "renames" and isinstance(body, dict) and body:
            first = next(iter(body))
            body = {("renamed_" + key if key == first else key): value for key, value in body.items()}
        return Seen(200, body=body)

    def close(self):
        pass


def _full(case):
    for response in case.operation.responses:
        for media in response.media:
            if response.status == "200" and media.has_example:
                return media.example
    return {"a": 1}


def _certify(drift):
    cases, excluded = cases_of(SERVICE)
    spent = {}
    faces = [Told("rest", spent=spent), Told("other", drift, spent)]
    return certify(
        SERVICE, cases, excluded, faces, ledger=lambda: dict(spent), reset=lambda: None, date="2026-01-01"
    )


def test_two_faces_that_agree():
    made = _certify("")
    assert made.is_whole
    assert made.cases > 30
    assert made.drifts == []
    assert made.digest == SERVICE.digest


def test_a_renamed_field_is_named():
    made = _certify("renames")
    assert made.agree < made.cases
    drift = next(one for one in made.drifts if one.found == "(nothing)")
    assert drift.face == "other"
    assert drift.what == "body"
    assert drift.pointer.startswith("/")


def test_a_step_that_is_dropped_is_named():
    made = _certify("step")
    assert {one.what for one in made.drifts} == {"step"}
    assert {(one.expected, one.found) for one in made.drifts} == {("authenticate", "")}
    assert all("/refusal/" in one.case for one in made.drifts)


def test_a_call_charged_twice_is_named():
    made = _certify("charges")
    assert {one.what for one in made.drifts} == {"cost"}
    assert all(one.case.rpartition("/")[2] in OPERATIONS for one in made.drifts)
    assert made.agree == 0


def test_what_does_not_count_has_a_reason():
    class Empty(Told):
        def ask(self, case):
            return replace(super().ask(case), body={"nothing": None})

    cases, excluded = cases_of(SERVICE)
    made = certify(
        SERVICE, cases, excluded, [Empty("rest")], ledger=dict, reset=lambda: None, date="2026-01-01"
    )
    assert made.cases + len(made.excluded) == len(cases) + len(excluded)
    assert all(one.reason for one in made.excluded)
    assert any("not null" in one.reason for one in made.excluded)


def test_every_operation_of_the_city_has_cases_or_a_reason():
    for service in read_services().values():
        cases, excluded = cases_of(service)
        spoken = {case.operation.id for case in cases} | {
            one.id.rpartition("/")[2] for one in excluded if one.id.count("/") == 1
        }
        assert spoken == {one.id for one in service.operations}
        assert [case.id for case in cases] == [case.id for case in cases_of(service)[0]]


def test_totals_add_up():
    summary = totals([_certify(""), _certify("step")])
    assert summary["faces"] == ["rest", "other"]
    assert summary["cases"] == 2 * _certify("").cases
    assert summary["drifts"]
