"""Expressions for Python programs: functions of the texts that the command line takes."""
