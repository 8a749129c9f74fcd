"""Parts: rows of many files to a folder of parts, by one process, several or a cluster; what is there stays.

A part is a run of rows of one source. It is computed by the job floor, written whole and renamed, and a record beside
it tells what it was made of. The manifest, written last, says that all are there.
Layer: must not know how numbers are made, nor terminals.
"""
