"""What is kept of an address: enough to tell where it leads, and no secret."""

import pytest

from leukemia.audit.addresses import without_secrets


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", ""),
        ("runs", "runs"),
        ("databricks", "databricks"),
        ("/srv/runs", "/srv/runs"),
        ("sqlite:////srv/records.db", "sqlite:////srv/records.db"),
        ("sqlite:////srv/a@b#c.db?key=geheim", "sqlite:////srv/a@b#c.db"),
        ("file:///srv/runs", "file:///srv/runs"),
        ("postgresql://ada:geheim@db.example:5432/records", "postgresql://ada@db.example:5432/records"),
        ("postgresql://ada:geheim@[::1]:5432/records", "postgresql://ada@[::1]:5432/records"),
        ("postgresql://ada:geheim#17@db:5432/records", "postgresql://ada@db:5432/records"),
        ("postgresql://ada:geheim?17@db:5432/records", "postgresql://ada@db:5432/records"),
        ("postgresql://ada:geheim/x@db/records", "postgresql://ada@db/records"),
        ("postgresql://ada:geheim%40x@db/records", "postgresql://ada@db/records"),
        ("postgresql://ada:geheim@db", "postgresql://ada@db"),
        ("postgresql://ada@db/records?password=geheim", "postgresql://ada@db/records"),
        ("postgresql:///records?host=/run/postgresql", "postgresql:///records"),
        ("mysql+pymysql://ada:geheim#1@db/x", "mysql+pymysql://ada@db/x"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("https://geheim@mlflow.example/x?token=geheim#geheim", "https://mlflow.example/x"),
        ("https://ada:geh@eim@mlflow.example", "https://mlflow.example"),
        ("http://ada:geheim@[::1]:5000/x", "http://[::1]:5000/x"),
    ],
)
def test_where_it_leads_is_kept_and_no_secret(address, kept):
    assert without_secrets(address) == kept


@pytest.mark.parametrize(
    "address",
    [
        # Without a host, or with letters that end a password where the address is read.
        "postgresql://ada:geheim",
        "postgresql://ada:1234",
        "postgresql://ada:geheim/records",
        "postgresql://ada:geheim@db:abc/records",
        "postgresql://ada:gehe@im@db/records",
        "postgresql://ada:p@ge?heim@db/records",
        "postgresql://ada:p@ge/heim@db/records",
        "postgresql://ge/heim@db/records",
        "postgresql://db?password=geheim@x",
        "postgresql://db:5432/records?password=geheim@x",
        "http://ada:gehe#im@mlflow:5000",
        "http://ada:12#geheim@mlflow:5000",
        "http://ada:12?geheim@mlflow:5000",
        "http://ada:12/geheim@mlflow:5000",
        "http://ge/heim@mlflow",
        "http://ada:geheim",
        "sqlite://ada:geheim@db/x",
        "ada:geheim@db:5432/records",
        "postgresql:ada:geheim",
        "//ada:geheim@db/records",
        "host=db user=ada password=geheim",
    ],
)
def test_of_an_address_that_can_be_misread_only_its_kind_is_kept(address):
    scheme, separator, _ = address.partition("://")
    assert without_secrets(address) == (f"{scheme}://…" if separator and scheme else "…")
