#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the trusted core needs nothing of a run time, so that it can become a trusted application.

Cross-compiles the sources of trusted_core, trusted_webauthn and trusted_p256 (with s2n-bignum's assembly) for arm64 with
the flags of a trusted application, joins them into one object and looks at what is left: undefined symbols other than the
few a TA has, constructors that would run before its entry, or an ELF header that its loader does not read. P-256 over
BearSSL is looked at by itself; BearSSL's own symbols are left. Objects are kept; only what changed is compiled again.

Usage: check_freestanding.py [--build FOLDER]
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import freestanding

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "abort", "__stack_chk_fail", "__stack_chk_guard"}
# What P-256 over BearSSL takes from BearSSL (group bearssl-lib of trusted/p256/sources.txt).
BEARSSL_ALLOWED = {"br_ec_p256_m31", "br_ecdsa_i31_vrfy_raw"}
# A trusted application's stack is fixed when it is built; no function may take more of it than this.
MAX_FRAME_BYTES = 32 * 1024


def compile_one(target, command):
    """Runs the command when the source or a header it includes is newer than its object. Returns what it complained of."""
    depends = target.with_suffix(".d")
    if target.exists() and depends.exists():
        needed = depends.read_text().replace("\\\n", " ").split(":", 1)[1].split() + [freestanding.__file__]
        made = target.stat().st_mtime
        if all(os.path.exists(p) and os.stat(p).st_mtime < made for p in needed):
            return ""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        target.unlink(missing_ok=True)
    return done.stderr.strip()


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def undefined_in(file):
    return set(output_of(freestanding.CROSS + "nm", "-u", "--format=posix", file).split()) - {"U"}


def largest_frame(folder):
    """The function with the largest stack frame, from the compiler's own account."""
    frames = []
    for usage in folder.glob("*.su"):
        for line in usage.read_text().splitlines():
            function, size, _ = line.split("\t")
            frames.append((int(size), function.split(":", 3)[-1].split("(")[0]))
    return max(frames)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "freestanding")
    folder = parser.parse_args().build
    counts = {"ok": 0, "FAIL": 0, "skip": 0}

    def report(what, problem):
        verdict = "FAIL" if problem else "ok"
        counts[verdict] += 1
        print(f"{verdict:4} {what}" + (f": {problem}" if problem else ""))

    if shutil.which(freestanding.CROSS + "g++") is None:
        print(f"skip freestanding: {freestanding.CROSS}g++ is missing (package g++-aarch64-linux-gnu)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    if not freestanding.crates(ROOT).exists():
        report("has the sources of s2n-bignum", "run tools/install")
        print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
        return 1
    commands = freestanding.core_commands(ROOT, folder)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        complaints = list(pool.map(lambda each: compile_one(*each[1:]), commands))
    for (source, _, _), complaint in zip(commands, complaints):
        report(f"compiles {source.relative_to(ROOT)}", complaint)
    objects = [str(target) for _, target, _ in commands if target.exists()]
    if len(objects) == len(commands):
        whole = str(folder / "trusted_core.o")
        subprocess.run([freestanding.CROSS + "ld", "-r", "-o", whole, *objects], check=True)
        report("needs nothing of a run time", ", ".join(sorted(undefined_in(whole) - ALLOWED)))
        sections = output_of(freestanding.CROSS + "readelf", "-SW", whole)
        constructors = [name for name in (".init_array", ".ctors", ".fini_array") if name in sections]
        report("runs nothing before its entry", ", ".join(constructors))
        report("throws nothing", ".gcc_except_table" if ".gcc_except_table" in sections else "")
        header = re.search(r"OS/ABI:\s*(.*)", output_of(freestanding.CROSS + "readelf", "-h", whole)).group(1)
        report("has the ELF header of a trusted application", "" if header == "UNIX - System V" else header)
        size, function = largest_frame(folder)
        report(f"uses at most {MAX_FRAME_BYTES} bytes of stack a function (largest: {size}, {function})",
               "too large" if size > MAX_FRAME_BYTES else "")
    for source in freestanding.p256_sources(ROOT, "bearssl", ROOT / "trusted/p256"):
        target = freestanding.object_of(ROOT, source, folder)
        headers = ["-isystem", "/usr/include/bearssl"]
        problem = compile_one(target, freestanding.compile_cxx(ROOT, source, target, *headers))
        if not problem:
            problem = ", ".join(sorted(undefined_in(str(target)) - ALLOWED - BEARSSL_ALLOWED))
        report(f"{source.relative_to(ROOT)} needs BearSSL and nothing else", problem)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


sys.exit(main())
