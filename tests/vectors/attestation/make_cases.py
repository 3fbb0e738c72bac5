#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes cases.json: quotes good and bad with what a verifier must answer, for community/attestation and
web/attestation alike. Statements, reports and fingerprints are computed here apart from both (struct, hashlib, PyPI
`cryptography`); the attestation keys are made for the occasion and kept nowhere, so the file differs each time and the
committed one is as good as another.

A case's text is a base document (`good` or `device`) with the characters `from` to `to` replaced by `text`, filled with
spaces to the length `pad`; `expect` is what the verifier answers for that text, challenge, manifest and pins (names into
their tables).
Usage: make_cases.py > cases.json
"""
import copy
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DOMAINS = {'application': b'community attestation: application', 'system': b'community attestation: system'}
BODIES = {'process': 1, 'optee-qemu': 2, 'optee-device': 3}
PROTECTIONS = {'none': 0, 'emulated': 1, 'hardware': 2}


def some(name, size=32):
    """Bytes that follow from a name."""
    return hashlib.shake_256(('attestation/' + name).encode()).digest(size)


def statement(**changes):
    fields = {'challenge': some('challenge').hex(), 'coreId': some('core', 16).hex(),
              'identityKey': some('identity', 64).hex(), 'hpkeKey': (b'\4' + some('hpke', 64)).hex(),
              'configurationDigest': some('configuration').hex(), 'epoch': f'{12345:016x}',
              'recoveryCount': f'{1:08x}', 'rootKeyVersion': f'{2:08x}', 'body': 'optee-qemu',
              'protection': 'emulated'}
    return {**fields, **changes}


def encoded(s):
    raw = b''.join(bytes.fromhex(s[name]) for name in ('challenge', 'coreId', 'identityKey', 'hpkeKey',
                                                      'configurationDigest', 'epoch', 'recoveryCount',
                                                      'rootKeyVersion'))
    raw += struct.pack('>BB', BODIES[s['body']], PROTECTIONS[s['protection']])
    assert len(raw) == 227
    return raw


def report(kind, s):
    return hashlib.sha256(DOMAINS[kind] + encoded(s)).digest()


PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def sign(key, nonce, measurement, scheme=PSS):
    return key.sign(hashlib.sha256(nonce + measurement).digest(), scheme, Prehashed(hashes.SHA256()))


def quote(key, nonce, measurement, scheme=PSS):
    return {'measurement': measurement.hex(), 'signature': sign(key, nonce, measurement, scheme).hex()}


def key_member(key):
    numbers = key.public_key().public_numbers()
    return {'n': numbers.n.to_bytes(key.key_size // 8, 'big').hex(), 'e': f'{numbers.e:08x}'}


def fingerprint(key):
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


APPLICATION, SYSTEM = some('application'), some('system')


def document(key, s=None, application=APPLICATION, system=SYSTEM, scheme=PSS):
    s = s or statement()
    return {'format': 'community-attestation-1', 'statement': s, 'attestationKey': key_member(key),
            'quotes': {'application': quote(key, report('application', s), application, scheme),
                       'system': quote(key, report('system', s), system, scheme)}}


def software(**changes):
    return {'format': 'community-attestation-1',
            'statement': statement(body='process', protection='none', **changes), 'attestationKey': None,
            'quotes': None}


device, foreign = rsa.generate_private_key(65537, 3072), rsa.generate_private_key(65537, 3072)
CHALLENGE = some('challenge').hex()
text_of = lambda value: json.dumps(value, indent=1)

# --- documents ---------------------------------------------------------------------------------------------------------

documents = {'good': document(device)}
good = documents['good']


def but(change, of=None):
    """A copy of a document (the good one) that `change` has bent."""
    made = copy.deepcopy(of or good)
    change(made)
    return made


def replaced(part, value, of=None):
    """A copy with the member at the path `part` ('quotes.system') replaced."""
    def change(made):
        *path, last = part.split('.')
        for name in path:
            made = made[name]
        made[last] = value
    return but(change, of)


reversed_members = lambda value: ({name: reversed_members(value[name]) for name in reversed(list(value))}
                                  if isinstance(value, dict) else value)
documents['other order'] = reversed_members(good)
on_device = statement(body='optee-device', protection='hardware')
documents['device'] = document(device, on_device, some('device application'), some('device system'))
documents['device emulated'] = document(device, statement(body='optee-device'), some('device application'),
                                        some('device system'))
documents['software'] = software()
documents['forged'] = document(foreign)
documents['forged hardware'] = document(foreign, on_device)
documents['forged board'] = document(foreign, on_device, some('device application'), some('device system'))
documents['old'] = document(device, statement(challenge=some('old challenge').hex(), epoch=f'{9:016x}'))
documents['other release'] = document(device, application=some('other application'), system=some('other system'))
documents['mixed release'] = document(device, system=some('other system'))
documents['unset'] = document(device, statement(configurationDigest='00' * 32))

# Kinds. The normal world gets header digests and system quotes over any nonce; the report binds nothing there.
both = report('application', statement()), report('system', statement())
documents['kinds swapped'] = but(lambda d: d.update(quotes={'application': good['quotes']['system'],
                                                            'system': good['quotes']['application']}))
documents['system twice'] = replaced('quotes.application', good['quotes']['system'])
documents['application twice'] = replaced('quotes.system', good['quotes']['application'])
documents['system quote over the application report'] = replaced('quotes.application', quote(device, both[0], SYSTEM))
documents['header digest as application'] = replaced('quotes.application', quote(device, both[0], some('header')))
documents['application report in system'] = replaced('quotes.system', quote(device, both[0], SYSTEM))
documents['nonce is the challenge'] = replaced('quotes.application',
                                               quote(device, bytes.fromhex(CHALLENGE), APPLICATION))
documents['no domain'] = replaced('quotes.application', quote(
    device, hashlib.sha256(encoded(statement())).digest(), APPLICATION))
documents['nonce of 33 bytes'] = replaced('quotes.application', quote(device, both[0] + b'\0', APPLICATION))
documents['nonce of 31 bytes'] = replaced('quotes.application', quote(device, both[0][:31], APPLICATION))

# Signatures and keys.
for salt in (0, 20, 31, 33, 350):
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
    documents[f'salt of {salt}'] = replaced('quotes.application', quote(device, both[0], APPLICATION, scheme))
documents['system with salt of 20'] = replaced('quotes.system', quote(
    device, both[1], SYSTEM, padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=20)))
documents['MGF1 with SHA-1'] = replaced('quotes.application', quote(
    device, both[0], APPLICATION, padding.PSS(mgf=padding.MGF1(hashes.SHA1()), salt_length=32)))
documents['PKCS 1.5'] = replaced('quotes.application', quote(device, both[0], APPLICATION, padding.PKCS1v15()))
documents['system by a foreign key'] = replaced('quotes.system', quote(foreign, both[1], SYSTEM))
documents['foreign key beside'] = replaced('attestationKey', key_member(foreign))
documents['e of 3'] = document(rsa.generate_private_key(3, 3072))
documents['RSA-2048'] = document(rsa.generate_private_key(65537, 2048))
documents['RSA-4096'] = document(rsa.generate_private_key(65537, 4096))
modulus = device.public_key().public_numbers().n
documents['3071 bits'] = replaced('attestationKey.n', (modulus & ~(1 << 3071)).to_bytes(384, 'big').hex())
documents['even modulus'] = replaced('attestationKey.n', (modulus - 1).to_bytes(384, 'big').hex())
documents['modulus with a zero in front'] = replaced('attestationKey.n', '00' + good['attestationKey']['n'])
signature = good['quotes']['application']['signature']
documents['signature cut'] = replaced('quotes.application.signature', signature[:-2])
documents['signature longer'] = replaced('quotes.application.signature', signature + '00')
documents['signature with a zero in front'] = replaced('quotes.application.signature', '00' + signature)
documents['signature of one byte'] = replaced('quotes.application.signature', '01')
documents['signature is zero'] = replaced('quotes.application.signature', '00' * 384)
while True:
    # s + n is the same signature to whoever reduces before comparing; RFC 8017, section 5.2.2 refuses it.
    small = int.from_bytes(sign(device, both[0], APPLICATION), 'big') + modulus
    if small < 1 << 3072:
        break
documents['signature beyond the modulus'] = replaced('quotes.application.signature', small.to_bytes(384, 'big').hex())

# Software that dresses up, and the reverse.
documents['software with quotes'] = document(foreign, statement(body='process', protection='none'))
documents['software emulated'] = replaced('statement.protection', 'emulated', software())
documents['QEMU without quotes'] = but(lambda d: d.update(attestationKey=None, quotes=None))
documents['quotes without key'] = replaced('attestationKey', None)
documents['key without quotes'] = replaced('quotes', None)

documents = {name: text_of(value) for name, value in documents.items()}
bases = {name: documents[name] for name in ('good', 'device')}
tables = {'documents': bases, 'manifests': {}, 'pins': {}}


def image(application=APPLICATION, system=SYSTEM, body='optee-qemu', protection='emulated'):
    return {'body': body, 'protection': protection, 'application': application.hex(), 'system': system.hex()}


def manifest(name, images, keys=()):
    tables['manifests'][name] = text_of({
        'format': 'community-manifest-1', 'version': '0.1.0', 'commit': some('commit', 20).hex(), 'images': images,
        'attestationKeys': [fingerprint(key) for key in keys],
        'files': [{'name': 'community-node', 'sha256': some('program').hex()}]})


device_image = image(some('device application'), some('device system'), 'optee-device', 'hardware')
manifest('release', [image(), device_image])
manifest('with key', [image(), device_image], [foreign, device])
manifest('other', [image(some('x'), some('y'))])
manifest('own core', [image(APPLICATION, some('y'))])
manifest('two', [image(some('other application'), some('other system')), image()])
manifest('board only', [device_image])
manifest('no image', [])


def pins(name, *entries):
    tables['pins'][name] = text_of({'format': 'community-attestation-pins-1', 'pins': [
        {'attestationKey': fingerprint(key), 'coreId': core, 'firstSeen': seen} for key, core, seen in entries]})


CORE, SEEN = some('core', 16).hex(), '2026-01-02T03:04:05Z'
pins('this', (device, CORE, SEEN))
pins('other key', (foreign, CORE, '2025-12-31T23:59:59Z'))
pins('other core', (device, some('other core', 16).hex(), SEEN))
pins('several', (foreign, CORE, '2025-12-31T23:59:59Z'), (device, some('other core', 16).hex(), SEEN),
     (device, CORE, '2026-05-06T07:08:09Z'))
pins('empty')

# --- cases -------------------------------------------------------------------------------------------------------------

cases = []


def splice(content):
    """The text as a change of the base document that it shares most with."""
    best = None
    for name, base in bases.items():
        begin = len(os.path.commonprefix([base, content]))
        end = len(os.path.commonprefix([base[begin:][::-1], content[begin:][::-1]]))
        made = {'document': name, 'from': begin, 'to': len(base) - end, 'text': content[begin:len(content) - end]}
        assert base[:begin] + made['text'] + base[made['to']:] == content
        best = min(best or made, made, key=lambda one: len(one['text']))
    return best


def case(name, expect, doc='good', manifest='release', pins='this', challenge=CHALLENGE, edits=(), pad=0):
    content = documents[doc]
    for find, replacement in edits:
        assert find in content, (name, find)
        content = content.replace(find, replacement, 1)
    cases.append({'name': name, **splice(content), 'pad': pad, 'challenge': challenge, 'manifest': manifest,
                  'pins': pins, 'expect': expect})


def answers(application='matches', system='matches', voucher='pinned', key=device, since=SEEN, listed=False,
            protection='emulated', holds=None):
    believed = (application, system) == ('matches', 'matches') and voucher in ('pinned', 'listed')
    if voucher != 'pinned':
        since = ''
    if holds is None:
        holds = believed and protection != 'none'
    return {'refusal': None, 'application': application, 'system': system, 'voucher': voucher,
            'fingerprint': fingerprint(key) if key else '00' * 32, 'since': since, 'listed': listed,
            'protection': protection, 'believed': believed, 'holds': holds}


def refused(name, rule, doc='good', **more):
    case(name, {'refusal': rule}, doc, **more)


case('all holds', answers())
case('members in another order', answers(), 'other order')
case('listed in the manifest', answers(voucher='listed', listed=True), manifest='with key', pins=None)
case('pinned and listed', answers(listed=True), manifest='with key')
case('pinned among several', answers(since='2026-05-06T07:08:09Z'), pins='several')
case('right measurement under an unknown key', answers(voucher='unknown'), pins=None)
case('no manifest, no pins', answers('no_manifest', 'no_manifest', 'unknown'), manifest=None, pins=None)
case('no manifest', answers('no_manifest', 'no_manifest'), manifest=None)
case('pins without a pin', answers(voucher='unknown'), pins='empty')
case('a configuration that was never set', answers(), 'unset')
case('a board', answers(protection='hardware'), 'device')
case('an emulated board', answers('not_listed', 'not_listed'), 'device emulated')
case('a software body', answers('not_measured', 'not_measured', 'no_key', None, protection='none'), 'software')
case('another release', answers('differs', 'differs'), 'other release')
case('one of two releases', answers(), manifest='two')
case('the other of two releases', answers(), 'other release', manifest='two')
case('an application on the core of another release', answers('matches', 'differs'), 'mixed release', manifest='two')
case('a core that another key signs applications for', answers('matches', 'differs'), manifest='own core')
case('measurements of nobody', answers('differs', 'differs'), manifest='other')
case('no image of this body', answers('not_listed', 'not_listed'), manifest='board only')
case('no image at all', answers('not_listed', 'not_listed'), manifest='no image')
case('the digest of a TA header as application', answers('differs', 'matches'), 'header digest as application')
case('made by software with a foreign key', answers(voucher='other_key_pinned', key=foreign), 'forged')
case('made by software, nothing pinned', answers(voucher='unknown', key=foreign), 'forged', pins=None)
case('the manifest lists a key that is not the pinned one',
     answers(voucher='other_key_pinned', key=foreign, listed=True), 'forged', manifest='with key')
case('made by software that claims hardware',
     answers('differs', 'differs', 'unknown', foreign, protection='hardware'), 'forged hardware', pins=None)
case('made by software that claims the code of a board',
     answers(voucher='unknown', key=foreign, protection='hardware'), 'forged board', pins=None)
case('the same TEE, provisioned anew', answers(voucher='other_core'), pins='other core')

OTHER = some('another challenge').hex()
refused('another challenge', 'challenge_mismatch', challenge=OTHER)
refused('an old quote', 'challenge_mismatch', 'old')
refused('an old quote with the challenge written over', 'application_signature_invalid', 'old',
        edits=[(some('old challenge').hex(), CHALLENGE)])
refused('another challenge of a software body', 'challenge_mismatch', 'software', challenge=OTHER)
for member, value, other in (('another core', some('core', 16).hex(), some('z', 16).hex()),
                             ('another identity key', some('identity', 64).hex(), some('z', 64).hex()),
                             ('another HPKE key', '04' + some('hpke', 64).hex(), '04' + some('z', 64).hex()),
                             ('another configuration', some('configuration').hex(), some('z').hex()),
                             ('another epoch', f'{12345:016x}', f'{12346:016x}'),
                             ('another recovery count', f'"recoveryCount": "{1:08x}"',
                              f'"recoveryCount": "{0:08x}"'),
                             ('another root key version', f'{2:08x}"', f'{3:08x}"'),
                             ('another body', '"optee-qemu"', '"optee-device"')):
    refused(member, 'application_signature_invalid', edits=[(value, other)])
refused('emulated raised to hardware', 'protection_not_of_body', edits=[('"emulated"', '"hardware"')])
refused('emulated raised to hardware on a board', 'application_signature_invalid',
        edits=[('"optee-qemu"', '"optee-device"'), ('"emulated"', '"hardware"')])
refused('emulated lowered to none', 'protection_not_of_body', edits=[('"emulated"', '"none"')])
refused('an emulated board raised', 'application_signature_invalid', 'device emulated',
        edits=[('"emulated"', '"hardware"')])
for name in ('kinds swapped', 'nonce is the challenge', 'no domain', 'nonce of 33 bytes', 'nonce of 31 bytes',
             'salt of 0', 'salt of 20', 'salt of 31', 'salt of 33', 'salt of 350', 'MGF1 with SHA-1', 'PKCS 1.5',
             'foreign key beside', 'signature cut', 'signature longer', 'signature with a zero in front',
             'signature of one byte', 'signature is zero', 'signature beyond the modulus'):
    refused(name, 'application_signature_invalid', name)
for name in ('system twice', 'application twice', 'system quote over the application report'):
    refused(name, 'measurements_equal', name)
for name in ('application report in system', 'system with salt of 20', 'system by a foreign key'):
    refused(name, 'system_signature_invalid', name)
flip = lambda digits: ('1' if digits[0] == '0' else '0') + digits[1:]
refused('a changed measurement', 'application_signature_invalid', edits=[(APPLICATION.hex(), flip(APPLICATION.hex()))])
refused('a changed measurement of the core', 'system_signature_invalid', edits=[(SYSTEM.hex(), flip(SYSTEM.hex()))])
for name in ('RSA-2048', 'RSA-4096', '3071 bits', 'even modulus', 'modulus with a zero in front'):
    refused(name, 'attestation_key_not_rsa_3072', name)
refused('e of 3', 'attestation_key_exponent', 'e of 3')
refused('e of 3 written over', 'attestation_key_exponent', edits=[('"00010001"', '"00000003"')])
refused('software with quotes', 'quotes_of_software_body', 'software with quotes')
refused('software that says emulated', 'protection_not_of_body', 'software emulated')
refused('QEMU without quotes', 'quotes_missing', 'QEMU without quotes')
refused('quotes without key', 'quotes_and_key_apart', 'quotes without key')
refused('key without quotes', 'quotes_and_key_apart', 'key without quotes')

# --- the document itself -----------------------------------------------------------------------------------------------

text = documents['good']
start = '{\n "format": "community-attestation-1"'
raw = {
    'empty': ('', 'document_malformed'),
    'white space': (' \n', 'document_malformed'),
    'cut in the middle': (text[:len(text) // 2], 'document_malformed'),
    'cut before the last brace': (text[:-1], 'document_malformed'),
    'something behind': (text + '{}', 'document_malformed'),
    'a byte order mark': ('\ufeff' + text, 'document_malformed'),
    'a character beyond ASCII': (text.replace('"emulated"', '"emul\u00e4ted"'), 'document_malformed'),
    'a control character': (text.replace('"emulated"', '"emu\u0001lated"'), 'document_malformed'),
    'an escape': (text.replace('"emulated"', '"\\u0065mulated"'), 'document_malformed'),
    'a comment': (text.replace(start, '/* */' + start), 'document_malformed'),
    'a comma too many': (text[:-2] + ',\n}', 'document_malformed'),
    'an unquoted name': (text.replace('"format"', 'format', 1), 'document_malformed'),
    'single quotes': (text.replace('"emulated"', "'emulated'"), 'document_malformed'),
    'a number': (text.replace(f'"{12345:016x}"', '12345'), 'document_malformed'),
    'an oversized number': (text.replace(f'"{12345:016x}"', '1' + '0' * 400), 'document_malformed'),
    'an exponent': (text.replace(f'"{12345:016x}"', '1e999'), 'document_malformed'),
    'true': (text.replace('"emulated"', 'true'), 'document_malformed'),
    'too deep': (text.replace('"emulated"', '[' * 7 + ']' * 7), 'document_malformed'),
    'as deep as may be': (text.replace('"emulated"', '[' * 6 + ']' * 6), 'document_member_wrong'),
    'a member twice': (text.replace('"epoch"', f'"challenge": "{OTHER}",\n  "epoch"'), 'document_member_twice'),
    'the same member twice with one value': (text.replace('"body"', '"body": "optee-qemu",\n  "body"'),
                                             'document_member_twice'),
    'quotes twice': (text.replace('"quotes"', '"quotes": null,\n "quotes"'), 'document_member_twice'),
    'a list': ('[]', 'document_member_wrong'),
    'null': ('null', 'document_member_wrong'),
    'an empty object': ('{}', 'document_member_missing'),
    'another format': (text.replace('attestation-1', 'attestation-2'), 'format_unknown'),
    'another format with other members': ('{"format": "community-attestation-2", "more": "x"}', 'format_unknown'),
    'no format': (text.replace('"format": "community-attestation-1",', ''), 'document_member_missing'),
    'format null': (text.replace('"community-attestation-1"', 'null'), 'document_member_wrong'),
    'an extra member': (text.replace(start, start + ',\n "verified": "yes"'), 'document_member_unknown'),
    'an extra member of the statement': (text.replace('"epoch"', '"time": "now",\n  "epoch"'),
                                         'document_member_unknown'),
    'an extra member of the key': (text.replace('"e":', '"d": "00",\n  "e":'), 'document_member_unknown'),
    'an extra quote': (text.replace('"system":', '"header": null,\n  "system":'), 'document_member_unknown'),
    'a name that is special elsewhere': (text.replace(start, start + ',\n "__proto__": null'),
                                         'document_member_unknown'),
    'upper-case digits': (text.replace(SYSTEM.hex(), SYSTEM.hex().upper()), 'document_member_wrong'),
    '0x in front': (text.replace(SYSTEM.hex(), '0x' + SYSTEM.hex()), 'document_member_wrong'),
    'a digit too many': (text.replace(SYSTEM.hex(), SYSTEM.hex() + '0'), 'document_member_wrong'),
    'a byte too many': (text.replace(SYSTEM.hex(), SYSTEM.hex() + '00'), 'document_member_wrong'),
    'a byte too few': (text.replace(SYSTEM.hex(), SYSTEM.hex()[2:]), 'document_member_wrong'),
    'no digits': (text.replace(SYSTEM.hex(), ''), 'document_member_wrong'),
    'a letter that is no digit': (text.replace(SYSTEM.hex(), 'g' + SYSTEM.hex()[1:]), 'document_member_wrong'),
    'a modulus of 8,192 bits': (text.replace(good['attestationKey']['n'], 'ff' * 1024), 'document_member_wrong'),
    'no signature': (text.replace(signature, ''), 'document_member_wrong'),
    'an epoch of nine bytes': (text.replace(f'{12345:016x}', f'{12345:018x}'), 'document_member_wrong'),
    'an exponent of five digits': (text.replace('"00010001"', '"10001"'), 'document_member_wrong'),
    'an unknown body': (text.replace('"optee-qemu"', '"sgx"'), 'document_member_wrong'),
    'a body without a name': (text.replace('"optee-qemu"', '""'), 'document_member_wrong'),
    'a body by its number': (text.replace('"optee-qemu"', '"02"'), 'document_member_wrong'),
    'an unknown protection': (text.replace('"emulated"', '"protected"'), 'document_member_wrong'),
    'a statement that is a list': (text_of(replaced('statement', [])), 'document_member_wrong'),
    'a statement that is null': (text_of(replaced('statement', None)), 'document_member_wrong'),
    'quotes that are text': (text_of(replaced('quotes', 'none')), 'document_member_wrong'),
}
for part in ('statement', 'attestationKey', 'quotes', 'quotes.application', 'quotes.system',
             'quotes.system.measurement', 'quotes.application.signature', 'attestationKey.e', 'statement.protection',
             'statement.challenge'):
    def without(made, part=part):
        *path, last = part.split('.')
        for name in path:
            made = made[name]
        del made[last]
    raw[f'without {part}'] = (text_of(but(without)), 'document_member_missing')
for name, (content, rule) in raw.items():
    assert content != text, name
    documents['raw: ' + name] = content
    refused(name, rule, 'raw: ' + name)
refused('too large', 'document_too_large', pad=16_385)
case('as large as may be', answers(), pad=16_384)
documents['compact'] = json.dumps(good, separators=(',', ':'))
case('compact', answers(), 'compact')

# --- manifests and pins that are not read --------------------------------------------------------------------------------

release, pinned = tables['manifests']['release'], tables['pins']['this']
broken_manifests = {
    'cut': (release[:-3], 'document_malformed'),
    'a quote': (text, 'format_unknown'),
    'without commit': (release.replace(' "commit"', ' "committed"'), 'document_member_missing'),
    'an extra member': (release.replace(' "images"', ' "more": null,\n "images"'), 'document_member_unknown'),
    'twice': (release.replace(' "images"', ' "images": [],\n "images"'), 'document_member_twice'),
    'images null': (json.dumps({**json.loads(release), 'images': None}), 'document_member_wrong'),
    'an image that is text': (json.dumps({**json.loads(release), 'images': ['x']}), 'document_member_wrong'),
    'an image without system': (release.replace('"system"', '"core"', 1), 'document_member_missing'),
    'an upper-case measurement': (release.replace(SYSTEM.hex(), SYSTEM.hex().upper()), 'document_member_wrong'),
    'a key that is short': (json.dumps({**json.loads(release), 'attestationKeys': ['00']}), 'document_member_wrong'),
    'a key that is null': (json.dumps({**json.loads(release), 'attestationKeys': [None]}), 'document_member_wrong'),
    '65 images': (json.dumps({**json.loads(release), 'images': [image()] * 65}), 'document_member_wrong'),
    'an empty version': (release.replace('"0.1.0"', '""'), 'document_member_wrong'),
    'a long version': (release.replace('"0.1.0"', '"' + '0' * 129 + '"'), 'document_member_wrong'),
}
broken_pins = {
    'cut': (pinned[:-3], 'document_malformed'),
    'a manifest': (release, 'format_unknown'),
    'without core': (pinned.replace('"coreId"', '"core"'), 'document_member_missing'),
    'a time of the day': (pinned.replace(SEEN, '03:04:05'), 'document_member_wrong'),
    'a time in another zone': (pinned.replace(SEEN, '2026-01-02T03:04:05+01:00'), 'document_member_wrong'),
    'a time with letters': (pinned.replace(SEEN, '2026-01-0xT03:04:05Z'), 'document_member_wrong'),
    'pins null': ('{"format": "community-attestation-pins-1", "pins": null}', 'document_member_wrong'),
}
listed = lambda broken: [{'name': name, 'text': content, 'refusal': rule} for name, (content, rule) in broken.items()]
print(json.dumps({'note': 'Made by make_cases.py', **tables, 'cases': cases,
                  'brokenManifests': listed(broken_manifests), 'brokenPins': listed(broken_pins)}, indent=1))
