"""A mail server for tests: aiosmtpd, three times on free ports.

One is plain and takes mail from anybody; one wants STARTTLS and one TLS from the first byte, and both of these want a
user name and a password. Their certificate is made at the start and signed by an authority of our own.

What is accepted goes to the folder `mail`: `N.eml` as it came, and `N.json` as Python's own parser reads it, with what
is known of the session. A recipient's address may ask for a different end: `reply-550@...` is answered 550,
`data-451@...` is answered 451 once the message has been sent, and `hang@...` is not answered for an hour.

Says where everything is in the file `ready` of the current folder, a NAME=VALUE a line.
"""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import itertools
import json
import os
import re
import ssl

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = b"tester", b"open-sesame"
HOST = "127.0.0.1"


def certificate(name, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def tls_context():
    """Writes the authority's certificate to `ca.pem`."""
    authority, server = common_name("test authority"), common_name(HOST)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    with open("ca.pem", "wb") as file:
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        file.write(certificate(authority, authority_key, authority, authority_key, (constraints, True)))
    with open("server.pem", "wb") as file:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        file.write(certificate(server, server_key, authority, authority_key, (names, False)))
        file.write(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem")
    return context


def keep(name, content):
    with open(f"mail/.{name}", "wb") as file:
        file.write(content)
    os.rename(f"mail/.{name}", f"mail/{name}")


class Handler:
    def __init__(self):
        self.numbers = itertools.count(1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("hang@"):
            await asyncio.sleep(3600)
        if asked := re.match(r"reply-(\d{3})@", address):
            return f"{asked[1]} as you ask"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if asked := re.match(r"data-(\d{3})@", envelope.rcpt_tos[0]):
            return f"{asked[1]} as you ask"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parsed = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "session": f"{session.peer[0]}:{session.peer[1]}",
            "encrypted": bool(session.ssl or server.transport.get_extra_info("sslcontext")),
            "authenticated": bool(session.authenticated),
            "headers": {name: str(value) for name, value in message.items()},
            "text": message.get_content(),
        }
        number = next(self.numbers)
        keep(f"{number}.json", json.dumps(parsed).encode())
        keep(f"{number}.eml", envelope.content)
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=known, handled=False)


async def main():
    os.mkdir("mail")
    loop, handler, context = asyncio.get_running_loop(), Handler(), tls_context()

    async def listen(tls=None, **options):
        def session():
            return SMTP(handler, hostname="mail.test", enable_SMTPUTF8=True, loop=loop, **options)

        server = await loop.create_server(session, HOST, 0, ssl=tls)
        return server.sockets[0].getsockname()[1]

    private = {"auth_required": True, "authenticator": authenticate}
    plain = await listen()
    starttls = await listen(require_starttls=True, tls_context=context, **private)
    tls = await listen(tls=context, auth_require_tls=False, **private)
    login = f"{USER.decode()}:{PASSWORD.decode()}"

    with open("ready.part", "w") as ready:
        ready.write(f"TEST_SMTP_URL=smtp://{HOST}:{plain}\n")
        ready.write(f"TEST_SMTP_STARTTLS_URL=smtp://{login}@{HOST}:{starttls}\n")
        ready.write(f"TEST_SMTP_TLS_URL=smtps://{login}@{HOST}:{tls}\n")
        ready.write(f"TEST_SMTP_CA={os.path.abspath('ca.pem')}\n")
        ready.write(f"TEST_SMTP_MAILDIR={os.path.abspath('mail')}\n")
    os.rename("ready.part", "ready")
    await asyncio.Event().wait()


asyncio.run(main())
