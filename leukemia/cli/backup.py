"""The commands ``backup`` and ``restore``.

Each takes the parsed arguments and returns the exit status.
"""

from argparse import Namespace

from leukemia.cli.arguments import Commands, as_path, data_option


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser(
        "backup", help="copy the data folder and the records, while they are in use"
    )
    command.add_argument(
        "folder", type=as_path, metavar="DIR", help="the folder to make; it must not be there yet"
    )
    data_option(command)
    command.set_defaults(run=backup)

    command = commands.add_parser("restore", help="put a backup back, where there is nothing yet")
    command.add_argument("folder", type=as_path, metavar="DIR", help="the backup")
    data_option(command, meaning="the data folder to make")
    command.set_defaults(run=restore)


def backup(options: Namespace) -> int:
    """Make a backup."""
    from leukemia.backup.make import make
    from leukemia.cli.console import Bar

    with Bar("files") as bar:
        made = make(options.data, options.folder, bar)
    print(f"{len(made.files):,} files copied to {options.folder}, with {made.count:,} entries of the record.")
    print(f"To check against it later: python -m leukemia audit verify --known {made.count}:{made.head}")
    return 0


def restore(options: Namespace) -> int:
    """Put a backup back."""
    from leukemia.backup.restore import restore as put_back
    from leukemia.cli.console import Bar

    with Bar("files") as bar:
        listed, note = put_back(options.folder, options.data, bar)
    print(
        f"The backup of {listed.made_at[:16].replace('T', ' ')} UTC is back in {options.data}: "
        f"{len(listed.files):,} files, {listed.count:,} entries of the record, each as it was written."
    )
    if note:
        print(note)
    return 0
