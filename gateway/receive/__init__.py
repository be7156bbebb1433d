"""Stage 1, SMTP in: the relay's front. From a TCP connection to calls on an `Exchange`, and from its answers to replies.

Owns who may connect, the dialogue, the grammar of addresses, the end of DATA, and every limit on a client. Refuses
to know what a contact, a rule or the smarthost's socket is: those stand behind the `Conductor` it is given. Stands
first in the path; `pipeline` conducts.

    conductor.py   the two faces it needs                   paths.py     the grammar of addresses
    server.py      listening, certificate, draining         commands.py  arguments of MAIL, RCPT, EHLO
    desk.py        what connections share                   reader.py    where a message ends
    admission.py   networks, counts, room in flight         replies.py   its words, and care with others'
    connection.py  one connection's life, time, in, out     session.py   the dialogue
"""

from gateway.receive.conductor import Conductor, Exchange
from gateway.receive.server import Server, serve

__all__ = ["Conductor", "Exchange", "Server", "serve"]
