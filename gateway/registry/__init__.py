"""Who is a contact and who is staff: from two CSV files, or what a records system pushed, to the `Registry` in force.

The road: `sources` (files or pushes), `reading` (bytes to records with their places), `rows` (records to typed rows), `assembly` (rows to
people, people to look-up tables and a version), `last_good` (the copy on disk), `loading` (what is refused, what
is stale, what stays). Knows nothing of mail: `identify` does the matching. docs/registry.md is the contract with
whoever writes the files.
"""

from gateway.registry.assembly import contacts_in, staff_in
from gateway.registry.last_good import load_last_good, save_last_good
from gateway.registry.loading import Keeper, LoadResult, Weighed, load, weigh, weigh_contact
from gateway.registry.sources import COLUMNS, Pushed, Source, stamp, states, table_of

__all__ = [
    "COLUMNS",
    "Keeper",
    "LoadResult",
    "Pushed",
    "Source",
    "Weighed",
    "contacts_in",
    "load",
    "load_last_good",
    "save_last_good",
    "staff_in",
    "stamp",
    "states",
    "table_of",
    "weigh",
    "weigh_contact",
]
