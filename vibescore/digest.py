"""BLAKE2b as hashlib has it, without what hashlib loads besides: OpenSSL takes as long as walking
over 200 log files.
"""

try:
    from _blake2 import blake2b
except ImportError:  # another Python
    from hashlib import blake2b

__all__ = ["blake2b"]
