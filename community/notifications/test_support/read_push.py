#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a request to a push service as browser and service do, with PyCA cryptography: read_push.py REQUEST.json. Prints
the notice. The request holds secret and auth of the browser, body, authorization, audience and nowS."""
import base64
import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def decoded(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def derive(salt, secret, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


request = json.load(open(sys.argv[1]))
body = bytes.fromhex(request['body'])
salt, size, id_length = body[:16], int.from_bytes(body[16:20], 'big'), body[20]
assert size == 4096 and id_length == 65 and len(body) <= 4096, (size, id_length, len(body))
sender = body[21:86]
browser = ec.derive_private_key(int(request['secret'], 16), ec.SECP256R1())
own = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
shared = browser.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
secret = derive(bytes.fromhex(request['auth']), shared, b'WebPush: info\0' + own + sender, 32)
plain = AESGCM(derive(salt, secret, b'Content-Encoding: aes128gcm\0', 16)).decrypt(
    derive(salt, secret, b'Content-Encoding: nonce\0', 12), body[86:], b'')
assert plain.endswith(b'\x02'), plain[-4:]

scheme, fields = request['authorization'].split(' ', 1)
assert scheme == 'vapid', scheme
fields = dict(field.strip().split('=', 1) for field in fields.split(','))
head, claims, signature = fields['t'].split('.')
assert json.loads(decoded(head)) == {'typ': 'JWT', 'alg': 'ES256'}
read = json.loads(decoded(claims))
assert read['aud'] == request['audience'] and read['sub'] == 'mailto:operator@example.org', read
assert request['nowS'] < read['exp'] <= request['nowS'] + 24 * 60 * 60, read
flat = decoded(signature)
assert len(flat) == 64 and fields['k'] == request['publicKey']
key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(fields['k']))
key.verify(encode_dss_signature(int.from_bytes(flat[:32], 'big'), int.from_bytes(flat[32:], 'big')),
           (head + '.' + claims).encode(), ec.ECDSA(hashes.SHA256()))
print(plain[:-1].decode())
