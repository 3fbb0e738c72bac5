#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes session_secrets.json: what a page and the trusted core must agree on about PRF output, session key and HPKE
messages, computed by others: hashlib, hmac, and HPKE of PyPI's `cryptography` (48 or newer).

HPKE messages are random, so the file differs each time; the committed one is as good as another.
Usage: make_secrets.py > session_secrets.json
"""
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

count = 0


def some(size):
    """Bytes that follow from a counter."""
    global count
    count += 1
    return hashlib.shake_256(f'secret/{count}'.encode()).digest(size)


salt_text = b'community-node/prf/1'
out = {'note': 'Made by make_secrets.py', 'prf_salt': {'text': salt_text.decode(),
                                                      'sha256': hashlib.sha256(salt_text).hexdigest()},
       'session_keys': [], 'content_roots': [], 'hpke': []}

for _ in range(8):
    prf, content_secret = some(32), some(32)
    fingerprint = hashlib.sha3_256(prf).digest()
    key = hmac.new(fingerprint, content_secret, hashlib.sha256).digest()
    out['session_keys'].append({'prf_output': prf.hex(), 'fingerprint_hash': fingerprint.hex(),
                                'tee_key': content_secret.hex(), 'session_key': key.hex()})
    root, nonce, wallet, credential = some(32), some(12), some(16), some(32)
    sealed = AESGCM(key).encrypt(nonce, root, b'community content root' + wallet + credential)
    out['content_roots'].append({'session_key': key.hex(), 'wallet_id': wallet.hex(), 'credential_hash': credential.hex(),
                                 'nonce': nonce.hex(), 'cipher': sealed[:32].hex(), 'tag': sealed[32:].hex(),
                                 'content_root': root.hex()})

suite = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
for size in (0, 1, 16, 32, 97, 200):
    for info in (b'', b'community phrase export' + some(16)):
        secret = ec.generate_private_key(ec.SECP256R1())
        plain = some(size)
        message = suite.encrypt(plain, secret.public_key(), info)
        assert suite.decrypt(message, secret, info) == plain
        out['hpke'].append({
            'secret': secret.private_numbers().private_value.to_bytes(32, 'big').hex(),
            'public_key': secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex(),
            'info': info.hex(), 'plain': plain.hex(), 'enc': message[:65].hex(), 'cipher': message[65:].hex()})
print(json.dumps(out, indent=1))
