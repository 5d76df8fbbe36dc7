"""Every Code as a source of vibescore: its own folder, and its files inside the tree of Codex.

A skeleton so far: nothing is registered.
"""
