"""The tables: as the models say, and made so that they can be spread (SRV-23, SRV-26)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import CompositeKey

from vibescore_server.db import open_database
from vibescore_server.errors import ServerError
from vibescore_server.migrations import migrate, pending
from vibescore_server.models import BY_USER, TABLES
from vibescore_server.settings import load_settings


@pytest.fixture
def database(new_database: Any, tmp_path: Path) -> Iterator[Any]:
    """An empty database, connected."""
    with new_database() as url:
        db = open_database(load_settings(database_url=url, data_dir=tmp_path / "data"))
        with db.connection_context():
            yield db


def described(db: Any) -> dict[str, Any]:
    """Keys, columns and further indexes by table; a key is never null, whatever SQLite tells."""
    told = {}
    for table in sorted(set(db.get_tables()) - {"schema_migration", "sqlite_sequence"}):
        keys = db.get_primary_keys(table)
        columns = {
            each.name: (each.data_type.upper(), each.null and each.name not in keys)
            for each in db.get_columns(table)
        }
        indexes = {
            (tuple(each.columns), each.unique)
            for each in db.get_indexes(table)
            if set(each.columns) != set(keys)
        }
        told[table] = (keys, columns, indexes)
    return told


@pytest.mark.requirement("SRV-23")
def test_migrations_make_what_the_models_say(database: Any) -> None:
    migrate(database)
    migrated = described(database)
    for table in migrated:
        database.execute_sql(f'DROP TABLE "{table}"')
    with database.bind_ctx(TABLES, bind_refs=False, bind_backrefs=False):
        database.create_tables(TABLES)

    assert described(database) == migrated


@pytest.mark.requirement("SRV-23")
def test_a_database_is_migrated_once(database: Any) -> None:
    assert pending(database) == ["0001_initial"]
    assert migrate(database) == ["0001_initial"]
    assert pending(database) == migrate(database) == []


@pytest.mark.requirement("SRV-23")
def test_a_database_of_a_newer_program_is_named_and_left_alone(database: Any) -> None:
    migrate(database)
    database.execute_sql("UPDATE schema_migration SET name = '9999_from_the_future'")
    before = described(database)

    with pytest.raises(ServerError, match=r"9999_from_the_future.*upgrade"):
        migrate(database)
    assert described(database) == before


@pytest.mark.requirement("SRV-26")
@pytest.mark.parametrize("table", BY_USER, ids=lambda table: table.__name__)
def test_what_grows_with_use_is_keyed_by_user_alone(table: Any) -> None:
    meta = table._meta
    key = meta.primary_key
    keys = [key.field_names if isinstance(key, CompositeKey) else (key.name,)]
    indexes = [names for names, _ in meta.indexes]
    indexes += [(field.name,) for field in meta.sorted_fields if field.index or field.unique]

    assert all(names[0] == "user_id" for names in (*keys, *indexes))


@pytest.mark.requirement("SRV-26")
def test_every_table_with_rows_of_many_users_is_spread_or_small() -> None:
    small = {
        "RefreshToken",
        "DeviceToken",
        "Grant",
        "IngestLog",
        "LeaderboardEntry",
    }  # looked up by a hash, by time, or across users
    of_users = {table.__name__ for table in TABLES if "user_id" in table._meta.fields}

    assert of_users - small == {table.__name__ for table in BY_USER}
