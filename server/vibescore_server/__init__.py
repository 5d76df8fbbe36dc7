"""The server of vibescore: takes half-hour sums, answers the dashboard. A skeleton so far."""
