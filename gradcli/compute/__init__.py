"""Numerical evaluation: programs, grids, the engines that run them, and blocks distributed over threads."""
