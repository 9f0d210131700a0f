"""The version of what livekm writes for programs to read: tables, and archives of labels."""

SCHEMA = 1
"""Goes up when a column, key or array gets another meaning or goes, not when one is added.

Every row of a table has it as its last column or key, ``schema``, so that rows of many files may be
put together; no reader needs to skip a comment or a first line that is unlike the others.
"""
