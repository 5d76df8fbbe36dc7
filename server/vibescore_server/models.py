"""The tables. Times are UTC seconds; ids are UUIDs; secrets are here as SHA-256 only (SRV-04).

Every key of data that grows with its users begins with ``user_id``, and there is no other index:
one user's rows lie together, and a distributed database can spread them by user (SRV-26). Deleting
a user's rows is the queries' work (SRV-19): a foreign key could not be followed across machines.
"""

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
    UUIDField,
)


class Table(Model):
    """A table; which database it lies in is said with each question."""

    class Meta:
        legacy_table_names = False


class User(Table):
    """A person; ``email`` is case-folded, ``password`` an argon2id hash."""

    id = UUIDField(primary_key=True)
    email = TextField(unique=True)
    password = TextField()
    name = TextField(null=True)
    role = TextField()
    created_at = BigIntegerField()


class RefreshToken(Table):
    """A session of a browser: the tokens of a ``family`` follow each other, one use each."""

    token_hash = TextField(primary_key=True)
    user_id = UUIDField(index=True)
    family = UUIDField(index=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    used_at = BigIntegerField(null=True)


class Device(Table):
    """A computer of a user; ``key_hash`` tells that it was linked before (SRV-04)."""

    user_id = UUIDField()
    id = UUIDField()
    key_hash = TextField(null=True)
    name = TextField()
    platform = TextField()
    created_at = BigIntegerField()
    last_seen_at = BigIntegerField(null=True)
    last_sync_at = BigIntegerField(null=True)
    revoked_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("user_id", "id")
        indexes = ((("user_id", "key_hash"), True),)


class DeviceToken(Table):
    """What a device shows; several may be valid while a computer is linked again."""

    token_hash = TextField(primary_key=True)
    user_id = UUIDField(index=True)
    device_id = UUIDField()
    created_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)


class Grant(Table):
    """A promise to link a device, redeemed once by a code (SRV-05).

    ``kind`` is ``link`` (a code typed into the command line), ``browser`` (a code that comes back
    on a loopback redirect, with its PKCE challenge) or ``device`` (polled for, after a person
    approved the ``user_code``; ``interval`` seconds lie between polls). ``user_id`` is null until
    somebody approved; ``request_hash`` says who redeemed it, so that the same request gets the same
    answer again.
    """

    code_hash = TextField(primary_key=True)
    kind = TextField()
    user_id = UUIDField(null=True, index=True)
    user_code_hash = TextField(null=True, unique=True)
    challenge = TextField(null=True)
    device_name = TextField(null=True)
    platform = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    polled_at = BigIntegerField(null=True)
    interval = IntegerField()
    denied_at = BigIntegerField(null=True)
    request_hash = TextField(null=True)
    device_id = UUIDField(null=True)

    class Meta:
        table_name = "device_grant"


class Usage(Table):
    """Tokens of a device in a half-hour, by source and model; ``hour_start`` is UTC seconds."""

    user_id = UUIDField()
    hour_start = BigIntegerField()
    source = TextField()
    model = TextField()
    device_id = UUIDField()
    input_tokens = BigIntegerField()
    cached_input_tokens = BigIntegerField()
    output_tokens = BigIntegerField()
    reasoning_output_tokens = BigIntegerField()
    total_tokens = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "usage_half_hour"
        primary_key = CompositeKey("user_id", "hour_start", "source", "model", "device_id")


class UserSettings(Table):
    """What a user chose."""

    user_id = UUIDField(primary_key=True)
    leaderboard_public = BooleanField()
    updated_at = BigIntegerField()


class IngestLog(Table):
    """A batch that was taken, in counts only (SRV-18)."""

    user_id = UUIDField(index=True)
    device_id = UUIDField()
    received_at = BigIntegerField(index=True)
    rows = IntegerField()
    inserted = IntegerField()


class PricingProfile(Table):
    """What a model costs from a UTC day on: micro-USD per million tokens (SRV-12)."""

    model = TextField()
    source = TextField()
    effective_from = TextField()
    input = BigIntegerField()
    cached_input = BigIntegerField()
    output = BigIntegerField()
    reasoning = BigIntegerField()
    active = BooleanField()

    class Meta:
        primary_key = CompositeKey("model", "source", "effective_from")


class PricingAlias(Table):
    """Under which name the prices of a used model stand, from a UTC day on."""

    usage_model = TextField()
    pricing_source = TextField()
    effective_from = TextField()
    pricing_model = TextField()
    active = BooleanField()

    class Meta:
        primary_key = CompositeKey("usage_model", "pricing_source", "effective_from")


class PricingVersion(Table):
    """How often the profiles and aliases of a source have changed: a process keeps them in memory
    for as long as this stands.
    """

    source = TextField(primary_key=True)
    number = BigIntegerField()


class LeaderboardEntry(Table):
    """A user's place in a generation of a board; ``position`` counts on within equal ranks.

    The total is a decimal number, since a sum of 64-bit counters may be larger than any of them.
    Both keys begin with the generation: one is filled and removed without touching the others, and
    PostgreSQL finds a user's place by its key whether or not it has counted the rows.
    """

    period = TextField()
    generation = BigIntegerField()
    position = IntegerField()
    user_id = UUIDField()
    rank = IntegerField()
    total_tokens = TextField()

    class Meta:
        table_name = "leaderboard_snapshot"
        primary_key = CompositeKey("period", "generation", "position")
        indexes = ((("period", "generation", "user_id"), True),)


class LeaderboardGeneration(Table):
    """Which generation of a board is the visible one, and what it is about (SRV-15)."""

    period = TextField(primary_key=True)
    generation = BigIntegerField()
    from_day = TextField()
    to_day = TextField()
    generated_at = BigIntegerField()


class Attempt(Table):
    """How often something was tried in a window of time, by whom (SRV-20); ``key`` is a hash."""

    key = TextField()
    window = BigIntegerField()
    count = IntegerField()
    expires_at = BigIntegerField(index=True)

    class Meta:
        primary_key = CompositeKey("key", "window")


class Job(Table):
    """Work by the clock: whose it is at the moment, and when it was last done (SRV-26).

    It is ``holder``'s until ``held_until``; the last complete run began at ``began_at``.
    """

    name = TextField(primary_key=True)
    holder = TextField(null=True)
    held_until = BigIntegerField(null=True)
    began_at = BigIntegerField(null=True)
    ended_at = BigIntegerField(null=True)
    failed = BooleanField(default=False)


BY_USER: tuple[Any, ...] = (Device, Usage, UserSettings)
"""What a distributed database spreads by user."""

TABLES: tuple[Any, ...] = (
    User,
    RefreshToken,
    Device,
    DeviceToken,
    Grant,
    Usage,
    UserSettings,
    IngestLog,
    PricingProfile,
    PricingAlias,
    PricingVersion,
    LeaderboardEntry,
    LeaderboardGeneration,
    Attempt,
    Job,
)
