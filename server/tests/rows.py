"""What is in a server's database, seen from outside."""

from typing import Any
from uuid import UUID

from serving import Server

from vibescore_server.db import open_database
from vibescore_server.models import TABLES
from vibescore_server.settings import Settings, load_settings

Rows = dict[str, list[dict[str, Any]]]


def all_rows(server: Server) -> Rows:
    """Every row of every table, in one order."""
    db = open_database(settings_of(server))
    with db.connection_context():
        return {
            table._meta.table_name: sorted(table.select().dicts().bind(db), key=str)
            for table in TABLES
        }


def rows_of(server: Server, user_id: str) -> Rows:
    """The rows of a user."""
    wanted = UUID(user_id)
    return {
        table: [row for row in rows if wanted in (row.get("user_id"), row.get("id"))]
        for table, rows in all_rows(server).items()
    }


def remove_user(server: Server, user_id: str) -> None:
    """Remove the user alone, as a deletion that has just begun."""
    db = open_database(settings_of(server))
    user = TABLES[0]
    with db.connection_context():
        assert user.delete().where(user.id == UUID(user_id)).execute(db) == 1


def settings_of(server: Server) -> Settings:
    return load_settings(data_dir=server.data_dir, database_url=server.database_url)
