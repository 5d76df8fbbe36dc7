"""All tables of the first version; written out, so that what came later cannot change it."""

from typing import Any

from vibescore_server.db import is_sqlite

SQLITE = {"uuid": "TEXT", "big": "INTEGER", "bool": "INTEGER", "serial": "INTEGER", "text": "TEXT"}
POSTGRESQL = {
    "uuid": "UUID",
    "big": "BIGINT",
    "bool": "BOOLEAN",
    "serial": "SERIAL",
    "text": 'TEXT COLLATE "C"',  # in the order of SQLite, and faster to compare
}
WITHOUT_ROWID = ("usage_half_hour", "leaderboard_snapshot")
"""On SQLite: half the size, and rows lie in the order of their key."""

STATEMENTS = """
CREATE TABLE "user" (
    id {uuid} PRIMARY KEY, email TEXT NOT NULL, password TEXT NOT NULL, name TEXT,
    role TEXT NOT NULL, created_at {big} NOT NULL
);
CREATE UNIQUE INDEX user_email ON "user" (email);

CREATE TABLE refresh_token (
    token_hash TEXT PRIMARY KEY, user_id {uuid} NOT NULL, family {uuid} NOT NULL,
    created_at {big} NOT NULL, expires_at {big} NOT NULL, used_at {big}
);
CREATE INDEX refresh_token_user_id ON refresh_token (user_id);
CREATE INDEX refresh_token_family ON refresh_token (family);

CREATE TABLE device (
    user_id {uuid} NOT NULL, id {uuid} NOT NULL, key_hash TEXT, name TEXT NOT NULL,
    platform TEXT NOT NULL, created_at {big} NOT NULL, last_seen_at {big}, last_sync_at {big},
    revoked_at {big}, PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX device_user_id_key_hash ON device (user_id, key_hash);

CREATE TABLE device_token (
    token_hash TEXT PRIMARY KEY, user_id {uuid} NOT NULL, device_id {uuid} NOT NULL,
    created_at {big} NOT NULL, revoked_at {big}
);
CREATE INDEX device_token_user_id ON device_token (user_id);

CREATE TABLE device_grant (
    code_hash TEXT PRIMARY KEY, kind TEXT NOT NULL, user_id {uuid}, user_code_hash TEXT,
    challenge TEXT, device_name TEXT, platform TEXT, created_at {big} NOT NULL,
    expires_at {big} NOT NULL, polled_at {big}, "interval" INTEGER NOT NULL, denied_at {big},
    request_hash TEXT, device_id {uuid}
);
CREATE INDEX device_grant_user_id ON device_grant (user_id);
CREATE UNIQUE INDEX device_grant_user_code_hash ON device_grant (user_code_hash);

CREATE TABLE usage_half_hour (
    user_id {uuid} NOT NULL, hour_start {big} NOT NULL, source {text} NOT NULL,
    model {text} NOT NULL, device_id {uuid} NOT NULL, input_tokens {big} NOT NULL,
    cached_input_tokens {big} NOT NULL, output_tokens {big} NOT NULL,
    reasoning_output_tokens {big} NOT NULL, total_tokens {big} NOT NULL,
    updated_at {big} NOT NULL, PRIMARY KEY (user_id, hour_start, source, model, device_id)
);

CREATE TABLE user_settings (
    user_id {uuid} PRIMARY KEY, leaderboard_public {bool} NOT NULL, updated_at {big} NOT NULL
);

CREATE TABLE ingest_log (
    id {serial} NOT NULL PRIMARY KEY, user_id {uuid} NOT NULL, device_id {uuid} NOT NULL,
    received_at {big} NOT NULL, rows INTEGER NOT NULL, inserted INTEGER NOT NULL
);
CREATE INDEX ingest_log_user_id ON ingest_log (user_id);
CREATE INDEX ingest_log_received_at ON ingest_log (received_at);

CREATE TABLE pricing_profile (
    model TEXT NOT NULL, source TEXT NOT NULL, effective_from TEXT NOT NULL, input {big} NOT NULL,
    cached_input {big} NOT NULL, output {big} NOT NULL, reasoning {big} NOT NULL,
    active {bool} NOT NULL, PRIMARY KEY (model, source, effective_from)
);

CREATE TABLE pricing_alias (
    usage_model TEXT NOT NULL, pricing_source TEXT NOT NULL, effective_from TEXT NOT NULL,
    pricing_model TEXT NOT NULL, active {bool} NOT NULL,
    PRIMARY KEY (usage_model, pricing_source, effective_from)
);

CREATE TABLE pricing_version (source TEXT PRIMARY KEY, number {big} NOT NULL);

CREATE TABLE leaderboard_snapshot (
    period TEXT NOT NULL, generation {big} NOT NULL, position INTEGER NOT NULL,
    user_id {uuid} NOT NULL, rank INTEGER NOT NULL, total_tokens TEXT NOT NULL,
    PRIMARY KEY (period, generation, position)
);
CREATE UNIQUE INDEX leaderboard_snapshot_of_user
    ON leaderboard_snapshot (period, generation, user_id);

CREATE TABLE leaderboard_generation (
    period TEXT PRIMARY KEY, generation {big} NOT NULL, from_day TEXT NOT NULL,
    to_day TEXT NOT NULL, generated_at {big} NOT NULL
);

CREATE TABLE attempt (
    key TEXT NOT NULL, "window" {big} NOT NULL, count INTEGER NOT NULL, expires_at {big} NOT NULL,
    PRIMARY KEY (key, "window")
);
CREATE INDEX attempt_expires_at ON attempt (expires_at);

CREATE TABLE job (
    name TEXT PRIMARY KEY, holder TEXT, held_until {big}, began_at {big}, ended_at {big},
    failed {bool} NOT NULL
)
"""


def up(_migrator: Any, db: Any) -> None:
    types = SQLITE if is_sqlite(db) else POSTGRESQL
    for statement in STATEMENTS.format(**types).split(";"):
        compact = is_sqlite(db) and any(f"TABLE {name} " in statement for name in WITHOUT_ROWID)
        db.execute_sql(statement + (" WITHOUT ROWID" if compact else ""))
