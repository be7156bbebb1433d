"""``python -m gateway.workers KIND FD MEMORY SECONDS``: one worker, started by `gateway.workers.pool`."""

import sys

from gateway.workers.desk import main

if __name__ == "__main__":
    main(sys.argv[1:])
