"""The command: ``rag``, or ``python -m rag``."""

from rag.cli.signals import interrupt_on_sigterm


def main() -> None:
    """Run it; a signal ends it in order also while it is still being imported."""
    with interrupt_on_sigterm():
        from rag.cli.main import main as run

        run()


if __name__ == "__main__":
    main()
