"""The man page, from the rows of commands, options, exit codes and topics."""

import re

import click
from checkout import ROOT

from gradcli.cli import COMMANDS, EXAMPLES, EXIT_CODES, group
from gradcli.cli.topics import topics

PATH = ROOT / "share" / "man" / "man1" / "gradcli.1"


def _plain(text: str) -> str:
    """A text as roff takes it: no backslash, minus, quote or dot of it means anything."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^\.", r"\\&.", text)


def _spelled(option: click.Option) -> str:
    """``-n, --order INTEGER``, in bold but for what goes after it."""
    words = ", ".join(f"\\fB{_plain(word)}\\fR" for word in sorted(option.opts, key=len))
    if option.is_flag:
        return words
    choices = "|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.type.name.upper()
    return f"{words} \\fI{_plain(option.metavar or choices)}\\fR"


def _item(head: str, text: str) -> str:
    return f".TP\n{head}\n{text}\n"


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR"


def page() -> str:
    cli = group()
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in COMMANDS}
    options: dict[tuple[str, ...], tuple[click.Option, list[str]]] = {}
    for name, command in commands.items():
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                options.setdefault(tuple(option.opts), (option, []))[1].append(name)
    lines = [
        '.\\" Written by tests/docs/test_docs.py --write, from the rows of commands and options.\n',
        '.TH GRADCLI 1 "" gradcli "User Commands"\n',
        ".SH NAME\n",
        "gradcli \\- exact derivatives of expressions, of any order, over any grid or file of points\n",
        ".SH SYNOPSIS\n",
        "\\fBgradcli\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIEXPR\\fR]...\n",
        ".SH EXAMPLES\n.nf\n",
        *[f"{_plain(example)}\n" for example in EXAMPLES],
        ".fi\n.SH COMMANDS\n",
        *[_item(_bold(name), _plain(short)) for name, (_, _, short) in COMMANDS.items()],
        ".SH OPTIONS\n",
    ]
    for option, names in options.values():
        everywhere = "all commands" if len(names) == len(COMMANDS) else ", ".join(names)
        lines.append(_item(_spelled(option), f"{_plain((option.help or '').replace('  [', ' ['))} ({everywhere})"))
    lines += [
        ".SH EXIT STATUS\n",
        *[_item(_bold(str(code)), _plain(meaning)) for code, meaning in EXIT_CODES.items()],
        ".SH ENVIRONMENT\n",
        "Options can come from the environment: \\fB\\-\\-max\\-points\\fR from \\fBGRADCLI_MAX_POINTS\\fR.\n",
        "What is typed goes first. See \\fBgradcli help environment\\fR.\n",
        ".SH TOPICS\n",
        "\\fBgradcli help\\fR \\fITOPIC\\fR shows the beginning of a page, with \\fB\\-\\-full\\fR all of it.\n",
        *[_item(_bold(name), _plain(title)) for name, title in topics().items()],
    ]
    return "".join(lines)
