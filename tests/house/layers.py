"""The rooms of the package in lines, one above the other."""

LINES = [
    ["caret"],
    ["errors"],
    ["limits"],
    ["storage"],
    ["expr"],
    ["functions", "formats"],
    ["language", "calculus"],
    ["truth", "compute"],
    ["notation", "codegen", "autograd"],
    ["job"],
    ["uncertainty"],
    ["verify", "plot", "parts"],
    ["callables", "cli"],
    ["testing"],
    ["__main__"],
]
"""From the ground up. A line imports from lines above it only; names on one line never import each other."""
