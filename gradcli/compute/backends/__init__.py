"""Backends: each turns a program into a kernel, which computes a block.

Layer: must not know threads or grids.
"""
