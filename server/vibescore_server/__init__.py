"""The server of vibescore: takes half-hour sums and answers what was used.

    request → route → query → database

``app`` is what surrounds every request; ``routes/`` validate, ask one question and answer;
``queries/`` hold all SQL; ``models`` are the tables.
"""
