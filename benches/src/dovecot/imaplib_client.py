"""Python's imaplib at the same work; it does not read the values of what it receives."""
import imaplib
import resource
import sys
import time

work, port, user, password = sys.argv[1:]
imaplib._MAXLINE = 1 << 30


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


began, before = time.monotonic(), cpu()
client = imaplib.IMAP4("127.0.0.1", int(port))
client.login(user, password)
if work == "LIST":
    count = len(client.list('""', "*")[1])
else:
    client.select("INBOX", readonly=True)
    if work == "BODY":
        _, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        count = len(data[0][1])
    else:
        items = "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" + (" BODYSTRUCTURE" if work == "B" else "")
        _, data = client.uid("FETCH", "1:*", f"({items})")
        # A response with literals comes in several pieces, of which the first begins with its number.
        first = [piece[0] if isinstance(piece, tuple) else piece for piece in data]
        count = sum(1 for piece in first if piece[:1].isdigit() and b" (UID " in piece[:20])
client.logout()
wall, used = time.monotonic() - began, cpu() - before
with open("/proc/self/status") as status:
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
print(count, wall * 1e3, used * 1e3, memory / 1024)
