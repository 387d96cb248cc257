"""Uses a client that openapi-python-client made from the published document, as its README says; prints what it parsed."""

import json
import sys

from company_client import AuthenticatedClient
from company_client.api.annual_report import list_annual_reports
from company_client.api.company import get_company, search_companies

origin, token = sys.argv[1:]
CODE = "91990106MA0000015L"
client = AuthenticatedClient(
    base_url=f"{origin}/api/company/v1", token=token, headers={"Accept-Language": "en"}, timeout=30
)


def told(path, answer, query=None):
    return {
        "path": path,
        "query": query or {},
        "status": int(answer.status_code),
        "body": answer.parsed.to_dict(),
    }


def main():
    print(
        json.dumps(
            [
                told(f"/companies/{CODE}", get_company.sync_detailed(CODE, client=client)),
                told("/companies/none", get_company.sync_detailed("none", client=client)),
                told(
                    "/companies",
                    search_companies.sync_detailed(client=client, query="样例", limit=3),
                    {"query": "样例", "limit": 3},
                ),
                told(
                    f"/companies/{CODE}/annual-reports",
                    list_annual_reports.sync_detailed(CODE, client=client),
                ),
            ]
        )
    )


main()
