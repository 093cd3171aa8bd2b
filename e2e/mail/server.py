"""A mail server that wants TLS, a name and a password, and keeps what it is sent as files.

Usage: server.py PORT FOLDER. The folder gets `authority.pem`, then one `N.eml` for each mail.
"""

import pathlib
import signal
import ssl
import sys

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Keep:
    """Writes mails to files, whole before they have their name."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        unfinished = self.folder / "unfinished"
        unfinished.write_bytes(envelope.content)
        unfinished.rename(self.folder / f"{self.count}.eml")
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    right = LoginPassword(b"panel", b"smtp-secret")
    return AuthResult(success=isinstance(data, LoginPassword) and data == right)


def main():
    port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    controller = Controller(
        Keep(folder),
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


main()
