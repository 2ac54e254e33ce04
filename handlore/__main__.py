"""The ``handlore`` command, and ``python -m handlore``."""

import os
import signal


def main() -> None:
    """Run the command line; Ctrl-C before it is imported ends without a traceback, too."""
    ctrl_c = signal.getsignal(signal.SIGINT)
    catches = ctrl_c is signal.default_int_handler  # a shell may have it ignored
    if catches:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from handlore.cli import main as command

    if catches:
        signal.signal(signal.SIGINT, ctrl_c)
    command()


if __name__ == "__main__":
    main()
