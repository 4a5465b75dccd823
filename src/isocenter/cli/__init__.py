"""The command line: words to steps. It parses, calls, shows, and decides nothing."""


def main() -> None:
    """Run the command that the words of the command line name, and leave with its exit code."""
    from isocenter.cli.commands import app

    app()


__all__ = ["main"]
