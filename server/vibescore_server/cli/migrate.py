"""``vibescore-server migrate``: bring the database up to date."""

import sys

import click


@click.command("migrate")
@click.option("--check", is_flag=True, help="Only say what is pending; exit 1 if anything is.")
def command(check: bool) -> None:
    """Bring the database up to date; `run` does so by itself on SQLite.

    \b
    Examples:
      vibescore-server migrate
      vibescore-server migrate --check
    """
    from vibescore_server import migrations
    from vibescore_server.db import open_database
    from vibescore_server.settings import load_settings

    db = open_database(load_settings())
    with db.connection_context():
        names = migrations.pending(db) if check else migrations.migrate(db)
    for name in names:
        click.echo(f"{'Pending' if check else 'Applied'}: {name}")
    if not names:
        click.echo("The database is up to date.")
    sys.exit(1 if check and names else 0)
