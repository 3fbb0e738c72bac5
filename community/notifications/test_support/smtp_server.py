#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server on loopback for smtp_test: smtp_server.py MODE CERTIFICATE KEY. MODE is plain, starttls or tls.
Prints its port, then one line of JSON for each thing that happens. What it does with a mail stands in the recipient's
local part: `ok`, `later`, `no`, `data-later`, `data-no`, `once-later` (the second attempt is taken), `hang`,
`drop-data`. It runs until it is ended."""
import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


# What it has to say about its own options is for people.
logging.disable(logging.CRITICAL)
warnings.simplefilter('ignore')


def secure(server):
    return server.transport.get_extra_info('ssl_object') is not None


def say(**words):
    print(json.dumps(words), flush=True)


class Handler:
    def __init__(self):
        self.seen = set()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say(event='ehlo', name=hostname, tls=secure(server))
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        word = address.split('@')[0]
        say(event='rcpt', to=address)
        if word == 'later':
            return '451 not now, <%s>' % address
        if word == 'no':
            return '550 nobody of that name: <%s>' % address
        if word == 'once-later' and word not in self.seen:
            self.seen.add(word)
            return '450 come again'
        if word == 'hang':
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        word = envelope.rcpt_tos[0].split('@')[0]
        # Whoever reads this takes lines of at most 4 KiB.
        message = envelope.content.decode('ascii')
        for at in range(0, len(message), 2000):
            say(event='part', text=message[at:at + 2000])
        say(event='data', sender=envelope.mail_from, to=envelope.rcpt_tos, user=getattr(session, 'user', None),
            tls=secure(server))
        if word == 'data-later':
            return '452 no room'
        if word == 'data-no':
            return '554 not wanted'
        if word == 'drop-data':
            server.transport.abort()
        return '250 taken'


def check(server, session, envelope, mechanism, data):
    right = data.login == b'node' and data.password == b'correct horse'
    say(event='auth', mechanism=mechanism, right=right, tls=secure(server))
    if right:
        session.user = 'node'
    return AuthResult(success=right, handled=False)


async def main():
    mode, certificate, key = sys.argv[1:4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = Handler()
    options = {'hostname': 'mail.test', 'enable_SMTPUTF8': False}
    if mode == 'starttls':
        options.update(tls_context=context, require_starttls=True)
    if mode != 'plain':
        options.update(authenticator=check, auth_required=True, auth_require_tls=True)
    if mode == 'tls':
        # The connection is TLS from its first byte, which aiosmtpd does not call STARTTLS.
        options.update(auth_require_tls=False)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), '127.0.0.1', 0,
                                      ssl=context if mode == 'tls' else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
