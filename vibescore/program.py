"""How other programs start vibescore."""


def command(python: str) -> list[str]:
    """The command that starts the vibescore of an environment, whose interpreter is ``python``;
    the folder in which it is started does not matter.
    """
    return [python, "-P", "-c", "from vibescore.cli import program; program()"]
