"""``python -m handlore`` is the ``handlore`` command."""

from handlore.cli import main

if __name__ == "__main__":
    main()
