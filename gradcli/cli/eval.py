"""The command eval: values only."""

from __future__ import annotations

import click

from gradcli.cli import options
from gradcli.cli.diff import numbers
from gradcli.cli.options import CommandLine


@options.command(
    "eval",
    examples=(
        'gradcli eval "2**0.5"',
        'gradcli eval "sqrt(x*x + y*y)" --at x=3,y=4',
        'gradcli eval "sin(x)/x" --grid x=0.1:2*pi:101 -o sinc.csv',
        'gradcli eval "y = t - mean(t)" --input runs.csv --keep --jsonl',
    ),
    help="Values only.",
    params=options.named(
        f"expr file natural allow_unused {options.POINTS} {options.HARD} {options.ROWS_IN} {options.NUMBERS}"
    ),
)
def eval_(ctx: click.Context, line: CommandLine) -> None:
    numbers(ctx, line, 0)
