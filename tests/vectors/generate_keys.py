# SPDX-License-Identifier: Apache-2.0
"""Writes bip39.jsonl and bip32.jsonl: lines for `community-node tool` with the answers of other implementations.

usage: generate_keys.py OUT_DIR [--full]     needs the PyPI packages mnemonic and bip_utils
"""
import hashlib
import json
import sys
import unicodedata

from bip_utils import Base58Encoder, Bip32Slip10Secp256k1
from mnemonic import Mnemonic

OUT = sys.argv[1]
FULL = "--full" in sys.argv
LANGUAGES = ["english", "japanese", "korean", "spanish", "chinese_simplified", "chinese_traditional", "french",
             "italian", "czech", "portuguese"]
PASSPHRASES = ["", "TREZOR", "㍍ガバヴァぱばぐゞちぢ十人十色", "ünïcödé ﬁ", "a" * 200]


def entropies(rounds):
    for size in (16, 20, 24, 28, 32):
        for fill in (0x00, 0x7F, 0x80, 0xFF):
            yield bytes([fill]) * size
        for n in range(rounds):
            yield hashlib.sha512(f"entropy {size} {n}".encode()).digest()[:size]


def write(name, lines):
    with open(f"{OUT}/{name}.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def bip39():
    for number, language in enumerate(LANGUAGES):
        reference = Mnemonic(language)
        for i, entropy in enumerate(entropies(40 if FULL else 1)):
            if not FULL and (i + number) % 3 != 0:
                continue
            phrase = reference.to_mnemonic(entropy)
            passphrase = PASSPHRASES[i % len(PASSPHRASES)]
            seed = Mnemonic.to_seed(phrase, passphrase)
            yield {"op": "bip39.fromEntropy", "in": {"lang": language, "entropy": entropy.hex()},
                   "out": {"mnemonic": phrase}}
            form = unicodedata.normalize("NFC" if i % 2 else "NFD", phrase)
            yield {"op": "bip39.toSeed", "in": {"lang": language, "mnemonic": form, "passphrase": passphrase},
                   "out": {"entropy": "0x" + entropy.hex(), "seed": "0x" + seed.hex(),
                           "xprv": Mnemonic.to_hd_master_key(seed)}}
            words = phrase.replace("\u3000", " ").split(" ")
            other = reference.wordlist[(reference.wordlist.index(words[-1]) + 1) % 2048]
            bad = [" ".join(words[:-1]), " ".join(words[:-1] + ["zzzz"]), "  ".join(words)]
            if not reference.check(" ".join(words[:-1] + [other])):
                bad.append(" ".join(words[:-1] + [other]))
            yield {"op": "bip39.toSeed", "in": {"lang": language, "mnemonic": bad[i % len(bad)], "passphrase": ""},
                   "error": True}
    for size in (0, 8, 15, 17, 33, 36, 64):
        yield {"op": "bip39.fromEntropy", "in": {"lang": "english", "entropy": "0x" + "11" * size}, "error": True}
    yield {"op": "bip39.fromEntropy", "in": {"lang": "klingon", "entropy": "0x" + "11" * 16}, "error": True}


# Seeds and paths of the standard's first four test vectors.
STANDARD = [
    ("000102030405060708090a0b0c0d0e0f",
     ["m", "m/0'", "m/0'/1", "m/0'/1/2'", "m/0'/1/2'/2", "m/0'/1/2'/2/1000000000"]),
    ("fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d"
     "5a5754514e4b484542",
     ["m", "m/0", "m/0/2147483647'", "m/0/2147483647'/1", "m/0/2147483647'/1/2147483646'",
      "m/0/2147483647'/1/2147483646'/2"]),
    ("4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457d"
     "f2e5a3c51c73235be", ["m", "m/0'"]),
    ("3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", ["m", "m/0'", "m/0'/1'"]),
]


def check(payload):
    return Base58Encoder.CheckEncode(payload)


def bip32():
    keys = []
    seeds = list(STANDARD)
    for n in range(60 if FULL else 8):
        seed = hashlib.sha512(f"seed {n}".encode()).digest()[: 16 + n % 49]
        seeds.append((seed.hex(), [f"m/44'/60'/{n}'/0/{n * 7}", f"m/{n}/{n + 1}h/{n + 2}H"]))
    for seed, paths in seeds:
        root = Bip32Slip10Secp256k1.FromSeed(bytes.fromhex(seed))
        for path in paths:
            plain = path.replace("h", "'").replace("H", "'")
            key = root if plain == "m" else root.DerivePath(plain)
            xpub, xprv = key.PublicKey().ToExtended(), key.PrivateKey().ToExtended()
            keys.append((xpub, xprv, key))
            yield {"op": "bip32.derive", "in": {"seed": seed, "path": path}, "out": {"xpub": xpub, "xprv": xprv}}
    for xpub, xprv, _ in keys[:12]:
        yield {"op": "bip32.parse", "in": {"key": xpub}, "out": {"ok": True}}
        yield {"op": "bip32.parse", "in": {"key": xprv}, "out": {"ok": True}}
        yield {"op": "bip32.parse", "in": {"key": xpub[:-1] + ("1" if xpub[-1] != "1" else "2")}, "error": True}
    # The faults of the standard's fifth test vector, made from a good key.
    public, private = bytes.fromhex("0488b21e"), bytes.fromhex("0488ade4")
    root = keys[0][2]
    chain = root.ChainCode().ToBytes()
    point = root.PublicKey().RawCompressed().ToBytes()
    secret = b"\0" + root.PrivateKey().Raw().ToBytes()
    zero, order = bytes(32), bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
    head = bytes(9)
    for payload in [
            public + head + chain + secret, private + head + chain + point,
            public + head + chain + b"\x04" + point[1:], private + head + chain + b"\x04" + secret[1:],
            public + head + chain + b"\x01" + point[1:], private + head + chain + b"\x01" + secret[1:],
            private + b"\0" + b"\1\2\3\4" + b"\0\0\0\0" + chain + secret,
            public + b"\0" + b"\1\2\3\4" + b"\0\0\0\0" + chain + point,
            private + b"\0" + b"\0\0\0\0" + b"\0\0\0\1" + chain + secret,
            public + b"\0" + b"\0\0\0\0" + b"\0\0\0\1" + chain + point,
            b"\0\0\0\0" + head + chain + secret, b"\x04\x35\x87\xcf" + head + chain + point,
            private + head + chain + b"\0" + zero, private + head + chain + b"\0" + order,
            public + head + chain + b"\x02" + zero[:-1] + b"\x07",
            public + head + chain + point + b"\0", public + head + chain + point[:-1], b""]:
        yield {"op": "bip32.parse", "in": {"key": check(payload)}, "error": True}
    for key in ["", "xprv", "xpub0OIl", "x" * 300, keys[0][0] + " "]:
        yield {"op": "bip32.parse", "in": {"key": key}, "error": True}
    for path in ["", "0/1", "m/", "m//1", "m/2147483648", "m/1''", "m/-1", "m/1x", "m/ 1", "m/01"]:
        yield {"op": "bip32.derive", "in": {"seed": STANDARD[0][0], "path": path}, "error": True}
    for seed in ["", "00" * 15, "00" * 65]:
        yield {"op": "bip32.derive", "in": {"seed": seed, "path": "m"}, "error": True}


write("bip39", bip39())
write("bip32", bip32())
