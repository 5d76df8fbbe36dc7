"""``vibescore-server openapi``: the document of the API."""

import click


@click.command("openapi")
def command() -> None:
    """Print the OpenAPI document, which a server shows at /openapi.json.

    \b
    Examples:
      vibescore-server openapi > openapi.json
    """
    import json

    from vibescore_server.app import ROUTES
    from vibescore_server.openapi import document

    click.echo(json.dumps(document(ROUTES), indent=2))
