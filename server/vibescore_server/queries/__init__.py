"""All SQL: one function a question, whose first argument is the Peewee database.

Rows of Peewee never leave this package. What it is told and answers are plain values; times are
UTC seconds.
"""
