#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Entries of the audit log with their digests and hashes, computed from spec/audit.md with Python's hashlib alone. Run
it in this folder; it writes cases.json. community/audit/entry_test.cpp reads them."""
import hashlib
import json
import struct

PAYLOAD_TAG = b'community-node audit payload 1'
ENTRY_TAG = b'community-node audit entry 1'


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack('>I', len(data)) + data


def payload_digest(salt, payload):
    return hashlib.sha256(text(PAYLOAD_TAG) + salt + text(payload)).digest()


def entry_hash(entry, digest, previous):
    return hashlib.sha256(
        text(ENTRY_TAG) + struct.pack('>Qq', entry['sequence'], entry['timeMs']) + text(entry['event'])
        + text(entry['subject']) + digest + previous).digest()


EVENTS = [
    ('UserRegistered', '4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69', 1767225600000, '{}'),
    ('WalletCreated', '4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69', 1767225600001,
     '{"wallet":"0b5f1b0e-56a5-4f0d-8a55-7b9d1f5c2e10","account":"0x4337084d9e255ff0702461cf8895ce9e3b5ff108"}'),
    # A clock that was set back, nobody known, and text beyond ASCII.
    ('SecurityViolation', '', 1767225599000, '{"type":"login_refused","why":"\u0e17\u0e14\u0e2a\u0e2d\u0e1a \u6d4b\u8bd5"}'),
    ('TransactionBroadcast', '9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a', -1, '{"value":"340282366920938463463374607431768211456"}'),
    # A word of a newer program is chained like any other.
    ('SomethingNewer', '', 9007199254740993, '{"text":"' + 'x' * 4085 + '"}'),
]

previous = bytes(32)
cases = []
for number, (event, subject, time_ms, payload) in enumerate(EVENTS, 1):
    entry = {'sequence': number, 'timeMs': time_ms, 'event': event, 'subject': subject}
    salt = hashlib.sha256(b'salt of the vectors' + bytes([number])).digest()
    digest = payload_digest(salt, payload)
    own = entry_hash(entry, digest, previous)
    cases.append({**entry, 'salt': salt.hex(), 'payload': payload, 'payloadDigest': digest.hex(),
                  'previous': previous.hex(), 'hash': own.hex()})
    previous = own

with open('cases.json', 'w') as out:
    json.dump(cases, out, indent=1)
    out.write('\n')
