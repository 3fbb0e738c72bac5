# SPDX-License-Identifier: Apache-2.0
"""A browser with a device for passkeys, in software: what navigator.credentials would answer, and the recovery key a page
makes. Written from WebAuthn level 3 and RFC 9053 with the `cryptography` package, independent of the node's readers."""
import base64
import hashlib
import json
import secrets
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


class Device:
    def __init__(self, origin, rp_id='localhost'):
        self.origin, self.rp_id = origin, rp_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.user_handle = None
        self.flags = PRESENT | VERIFIED
        self.count = 0

    def client_data(self, kind, challenge):
        return json.dumps({'type': kind, 'challenge': challenge, 'origin': self.origin, 'crossOrigin': False},
                          separators=(',', ':')).encode()

    def authenticator_data(self, flags):
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + struct.pack('>I', self.count)

    def create(self, options):
        """RegistrationResponseJSON for PublicKeyCredentialCreationOptionsJSON."""
        self.user_handle = unb64(options['user']['id'])
        numbers = self.key.public_key().public_numbers()
        cose = b'\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20' + numbers.x.to_bytes(32, 'big') + b'\x22\x58\x20' + \
            numbers.y.to_bytes(32, 'big')
        data = self.authenticator_data(self.flags | ATTESTED) + bytes(16) + \
            struct.pack('>H', len(self.credential_id)) + self.credential_id + cose
        attestation = b'\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58' + bytes([len(data)]) + data
        return {'id': b64(self.credential_id), 'rawId': b64(self.credential_id), 'type': 'public-key',
                'authenticatorAttachment': 'platform',
                'response': {'clientDataJSON': b64(self.client_data('webauthn.create', options['challenge'])),
                             'attestationObject': b64(attestation), 'transports': ['internal'],
                             'publicKeyAlgorithm': -7},
                'clientExtensionResults': {'credProps': {'rk': True}, 'prf': {'enabled': True}}}

    def get(self, options, kind='webauthn.get'):
        """AuthenticationResponseJSON for PublicKeyCredentialRequestOptionsJSON."""
        client, data = self.client_data(kind, options['challenge']), self.authenticator_data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {'id': b64(self.credential_id), 'rawId': b64(self.credential_id), 'type': 'public-key',
                'response': {'clientDataJSON': b64(client), 'authenticatorData': b64(data), 'signature': b64(signature),
                             'userHandle': b64(self.user_handle) if self.user_handle else None},
                'clientExtensionResults': {}}


def escape_key():
    """An address; nobody needs its key here."""
    return '0x' + secrets.token_hex(20)
