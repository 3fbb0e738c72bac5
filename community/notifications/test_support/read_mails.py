#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads messages with Python's package `email` and compares them with what was meant: read_mails.py EXPECTED.json."""
import email
import email.policy
import json
import sys

expected = json.load(open(sys.argv[1]))
for one in expected:
    raw = open(one['file'], 'rb').read()
    assert raw.isascii() and raw.endswith(b'\r\n'), one['file']
    assert b'\n' not in raw.replace(b'\r\n', b'') and b'\r' not in raw.replace(b'\r\n', b''), one['file']
    assert max(len(line) for line in raw.split(b'\r\n')) <= 98, one['file']
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects, (one['file'], message.defects)
    for name in ('From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'):
        assert len(message.get_all(name)) == 1, (one['file'], name)
        assert not message[name].defects, (one['file'], name, message[name].defects)
    assert message['Subject'] == one['subject'], (message['Subject'], one['subject'])
    assert message['From'].addresses[0].addr_spec == one['from'] and message['From'].addresses[0].display_name == one['name']
    assert message['To'].addresses[0].addr_spec == one['to'] and len(message['To'].addresses) == 1
    assert message['Message-ID'] == one['id'] and message['Auto-Submitted'] == 'auto-generated'
    assert message['Content-Language'] == one['language']
    assert int(message['Date'].datetime.timestamp()) == one['seconds'], message['Date']
    assert message.get_content_type() == 'text/plain' and message.get_content_charset() == 'utf-8'
    body = message.get_payload(decode=True).decode().replace('\r\n', '\n')
    assert body == one['body'], (one['file'], body, one['body'])
print(len(expected), 'messages')
