"""Who is a contact and who is staff: from two CSV files to the `Registry` in force.

The road: `reading` (bytes to records with their places), `rows` (records to typed rows), `assembly` (rows to
people, people to look-up tables and a version), `last_good` (the copy on disk), `loading` (what is refused, what
is stale, what stays). Knows nothing of mail: `identify` does the matching. docs/registry.md is the contract with
whoever writes the files.
"""

from gateway.registry.assembly import contacts_in, staff_in
from gateway.registry.last_good import load_last_good, save_last_good
from gateway.registry.loading import Keeper, LoadResult, load, staleness

__all__ = [
    "Keeper",
    "LoadResult",
    "contacts_in",
    "load",
    "load_last_good",
    "save_last_good",
    "staff_in",
    "staleness",
]
