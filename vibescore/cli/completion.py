"""``vibescore completion``: scripts that complete commands and options in a shell."""

import click
from click.shell_completion import get_completion_class

HOW = {
    "bash": 'eval "$(vibescore completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(vibescore completion zsh)"   in ~/.zshrc',
    "fish": "vibescore completion fish | source   in ~/.config/fish/config.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(HOW)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(vibescore completion bash)"          in ~/.bashrc
      eval "$(vibescore completion zsh)"           in ~/.zshrc
      vibescore completion fish | source           in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "vibescore", "_VIBESCORE_COMPLETE").source())
