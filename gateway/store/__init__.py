"""The store: one relational database, SQLite or PostgreSQL; owns all SQL, and the key that seals mail in it.

Public face: `Store` (open, write, read), `Tx`, `initialise`, the row types of `rows`, and the functions over a
transaction in `items`, `ledger`, `outbox`, `records`, `chain` and `rotation`. Knows nothing of SMTP, of rules or of
who may decide. Stands under `audit`, which gives the chain its meaning.

    database    engines, transactions, what a failure means    clerk     a thread, its queue, the way back
    schema      the tables; migrations/ makes them             writer    a clerk that writes: group commit
    statements  what every message asks, compiled once         reader    a clerk that reads
    store       opening, the doors, making a new store         sealing   AES-256-GCM and the key file
    mark        noticing a restored backup
"""

from gateway.store.database import ChainRow, Tx
from gateway.store.naming import new_id
from gateway.store.store import Made, Store, initialise

__all__ = ["ChainRow", "Made", "Store", "Tx", "initialise", "new_id"]
