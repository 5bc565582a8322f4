"""Goes through a test server with imaplib: plain, with STARTTLS, with TLS.

Arguments: the plain port, the port with TLS, the file of the authority's certificate.
"""

import imaplib
import ssl
import sys

plain, tls, authority = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=authority)


def done(answer):
    status, data = answer
    assert status == "OK", (status, data)
    return data


def walk(client, number):
    done(client.login("alice", "secret"))
    names = done(client.list())
    assert any(b'"INBOX"' in name for name in names), names
    assert any(rb"\Sent" in name for name in names), names
    done(client.create("from-python"))

    count = int(done(client.select("INBOX"))[0])
    assert count >= 26, count
    assert client.response("UIDVALIDITY")[1][0].isdigit()
    whole = done(client.fetch("1", "(ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
    assert b"ENVELOPE (" in whole[0][0] and b"BODYSTRUCTURE (" in whole[0][0], whole
    assert whole[0][1].endswith(b"Your mailbox is ready.\r\n"), whole
    for one in range(1, count + 1):
        for part in done(client.fetch(str(one), "(UID RFC822.SIZE BODY.PEEK[] )".replace(" )", ")"))):
            if isinstance(part, tuple):
                size = int(part[0].split(b"RFC822.SIZE ")[1].split(b" ")[0])
                assert len(part[1]) == size, part[0]

    found = done(client.search(None, "SUBJECT", '"Release plan"'))[0].split()
    assert len(found) == 8, found
    done(client.store("1", "+FLAGS", r"(\Flagged)"))
    assert rb"\Flagged" in done(client.fetch("1", "(FLAGS)"))[0]
    assert b"COPYUID" in done(client.copy("1:2", "from-python"))[0]
    message = b"Subject: from python %d\r\n\r\nhello\r\n" % number
    assert b"APPENDUID" in done(client.append("from-python", r"(\Seen)", None, message))[0]

    assert done(client.select("from-python")) == [b"3"]
    assert done(client.uid("FETCH", "3", "(BODY[])"))[0][1] == message
    done(client.store("1:2", "+FLAGS.SILENT", r"(\Deleted)"))
    assert done(client.expunge()) == [b"1", b"1"]
    assert b"MESSAGES 1" in done(client.status("from-python", "(MESSAGES UIDNEXT)"))[0]
    done(client.close())
    done(client.delete("from-python"))
    status, _ = client.select("from-python")
    assert status == "NO", status
    client.logout()


walk(imaplib.IMAP4("127.0.0.1", plain), 1)
client = imaplib.IMAP4("localhost", plain)
done(client.starttls(context))
walk(client, 2)
walk(imaplib.IMAP4_SSL("localhost", tls, ssl_context=context), 3)
print("imaplib is content")
