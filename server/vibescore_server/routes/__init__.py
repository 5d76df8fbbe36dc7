"""The endpoints of api.md: each validates, asks one question, and answers."""
