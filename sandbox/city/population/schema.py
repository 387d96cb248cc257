"""The core tables of the city file; chapters bring their own. It is written once and then only read, so every look-up has its index."""

VERSION = "3"  # raise it when tables of the core change: readers take no file of another version

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE household (
    id INTEGER PRIMARY KEY, district TEXT NOT NULL, address TEXT NOT NULL, english_address TEXT NOT NULL
);
CREATE TABLE citizen (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, name TEXT NOT NULL, latin_name TEXT NOT NULL, sex TEXT NOT NULL,
    ethnicity TEXT NOT NULL, born TEXT NOT NULL, died TEXT, household INTEGER NOT NULL, father INTEGER,
    mother INTEGER, spouse INTEGER, married_on TEXT
);
CREATE TABLE marriage (
    id INTEGER PRIMARY KEY, certificate TEXT NOT NULL, husband INTEGER NOT NULL, wife INTEGER NOT NULL,
    registered_on TEXT NOT NULL, district TEXT NOT NULL, ended_on TEXT, ended_by TEXT, divorce_certificate TEXT
);
CREATE TABLE company (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, english_name TEXT NOT NULL, kind TEXT NOT NULL,
    status TEXT NOT NULL, industry TEXT NOT NULL, established_on TEXT NOT NULL, ended_on TEXT,
    term_ends_on TEXT, registered_capital_yuan INTEGER NOT NULL, legal_representative INTEGER NOT NULL,
    district TEXT NOT NULL, address TEXT NOT NULL, english_address TEXT NOT NULL, abnormal_since TEXT,
    abnormal_reason TEXT, searched TEXT NOT NULL
);
CREATE TABLE holding (
    company INTEGER NOT NULL, place INTEGER NOT NULL, citizen INTEGER, holder INTEGER,
    share_basis_points INTEGER NOT NULL, capital_yuan INTEGER NOT NULL, since TEXT NOT NULL,
    PRIMARY KEY (company, place)
) WITHOUT ROWID;
CREATE TABLE power_of_attorney (
    company INTEGER NOT NULL, citizen INTEGER NOT NULL, role TEXT NOT NULL, scope TEXT NOT NULL, until TEXT NOT NULL,
    PRIMARY KEY (company, citizen, role)
) WITHOUT ROWID;
CREATE TABLE former_representative (
    company INTEGER NOT NULL, citizen INTEGER NOT NULL, until TEXT NOT NULL, PRIMARY KEY (company, citizen)
) WITHOUT ROWID;
CREATE TABLE employment (
    citizen INTEGER PRIMARY KEY, company INTEGER NOT NULL, since TEXT NOT NULL, position TEXT NOT NULL
);
CREATE TABLE annual_report (
    company INTEGER NOT NULL, year INTEGER NOT NULL, filed_on TEXT NOT NULL, is_late INTEGER NOT NULL,
    employees INTEGER NOT NULL, revenue_yuan INTEGER NOT NULL, profit_yuan INTEGER NOT NULL,
    assets_yuan INTEGER NOT NULL, liabilities_yuan INTEGER NOT NULL, PRIMARY KEY (company, year)
) WITHOUT ROWID;
CREATE TABLE licence (
    company INTEGER PRIMARY KEY, number TEXT NOT NULL, issued_on TEXT NOT NULL, expires_on TEXT
);
CREATE TABLE taxpayer (
    company INTEGER PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL, registered_on TEXT NOT NULL
);
CREATE TABLE tax_year (
    company INTEGER NOT NULL, year INTEGER NOT NULL, revenue_yuan INTEGER NOT NULL, vat_due_yuan INTEGER NOT NULL,
    income_tax_due_yuan INTEGER NOT NULL, surcharges_due_yuan INTEGER NOT NULL, paid_yuan INTEGER NOT NULL,
    PRIMARY KEY (company, year)
) WITHOUT ROWID;
CREATE TABLE arrear (
    company INTEGER NOT NULL, year INTEGER NOT NULL, tax TEXT NOT NULL, amount_yuan INTEGER NOT NULL,
    due_on TEXT NOT NULL, PRIMARY KEY (company, year, tax)
) WITHOUT ROWID;
CREATE TABLE rating (
    company INTEGER NOT NULL, year INTEGER NOT NULL, grade TEXT NOT NULL, score INTEGER,
    published_on TEXT NOT NULL, deductions TEXT NOT NULL, PRIMARY KEY (company, year)
) WITHOUT ROWID;
CREATE TABLE delivery (
    number TEXT PRIMARY KEY, company INTEGER NOT NULL, recipient INTEGER NOT NULL, service TEXT NOT NULL,
    created_at TEXT NOT NULL, outcome TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE gram (text TEXT PRIMARY KEY, companies INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE company_gram (text TEXT NOT NULL, company INTEGER NOT NULL, PRIMARY KEY (text, company)) WITHOUT ROWID;
"""

INDEXES = """
CREATE UNIQUE INDEX citizen_number ON citizen (number);
CREATE INDEX citizen_household ON citizen (household);
CREATE UNIQUE INDEX marriage_certificate ON marriage (certificate);
CREATE INDEX marriage_husband ON marriage (husband);
CREATE INDEX marriage_wife ON marriage (wife);
CREATE UNIQUE INDEX company_code ON company (code);
CREATE INDEX company_status ON company (status, id);
CREATE INDEX company_representative ON company (legal_representative);
CREATE INDEX power_citizen ON power_of_attorney (citizen);
CREATE INDEX former_citizen ON former_representative (citizen);
CREATE INDEX citizen_father ON citizen (father);
CREATE INDEX citizen_mother ON citizen (mother);
CREATE INDEX holding_citizen ON holding (citizen);
CREATE INDEX holding_holder ON holding (holder);
CREATE INDEX employment_company ON employment (company);
CREATE UNIQUE INDEX licence_number ON licence (number);
CREATE INDEX delivery_company ON delivery (company);
"""
