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

ROOT = pathlib.Path(__file__).resolve().parent.parent
PREFIX = "aarch64-linux-gnu-"
FLAGS = """-std=c++20 -Os -Wall -Wextra -fno-exceptions -fno-rtti -fno-gnu-unique -fno-threadsafe-statics
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fPIC -mstrict-align -mno-outline-atomics -ffunction-sections
    -fdata-sections -fstack-protector-strong -fvisibility=hidden -fstack-usage""".split()
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "abort", "__stack_chk_fail", "__stack_chk_guard"}
# What P-256 over BearSSL takes from BearSSL (group bearssl-lib of trusted/p256/sources.txt).
BEARSSL_ALLOWED = {"br_ec_p256_m31", "br_ecdsa_i31_vrfy_raw"}
S2N_BIGNUM = ROOT / "build" / "crates" / "s2n-bignum"
INCLUDES = ["-DS2N_BN_HIDE_SYMBOLS", f"-I{ROOT}", f"-I{ROOT}/trusted/p256/include", "-isystem", str(S2N_BIGNUM / "include"), "-isystem",
            "/usr/include/bearssl"]
# A trusted application's stack is fixed when it is built; no function may take more of it than this.
MAX_FRAME_BYTES = 32 * 1024


def core_sources():
    """The source files as trusted/CMakeLists.txt lists them."""
    text = (ROOT / "trusted" / "CMakeLists.txt").read_text()
    core = re.search(r"set\(TRUSTED_CORE_SOURCES(.*?)\)", text, re.S).group(1).split()
    webauthn = re.search(r"cn_library\(trusted_webauthn(.*?)DEPS", text, re.S).group(1).split()
    return [ROOT / "trusted" / name for name in core + webauthn]


def p256_sources(group, folder):
    """A group of trusted/p256/sources.txt, below a folder."""
    lines = (ROOT / "trusted" / "p256" / "sources.txt").read_text().splitlines()
    return [folder / line.split()[1] for line in lines if line.startswith(group + " ")]


def compile_one(source, folder):
    """Compiles a source when it or a header it includes is newer than its object."""
    target = folder / (str(source.relative_to(ROOT)).replace("/", "_") + ".o")
    depends = target.with_suffix(".d")
    if target.exists() and depends.exists():
        needed = depends.read_text().replace("\\\n", " ").split(":", 1)[1].split()
        made = target.stat().st_mtime
        script = pathlib.Path(__file__).stat().st_mtime
        if script < made and all(os.path.exists(p) and os.stat(p).st_mtime < made for p in needed):
            return target, ""
    ccache = [shutil.which("ccache")] if shutil.which("ccache") else []
    command = ccache + [PREFIX + "g++", *FLAGS, *INCLUDES, "-MMD", "-MF", str(depends), "-c", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        return None, done.stderr
    return target, done.stderr


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def undefined_in(file):
    return set(output_of(PREFIX + "nm", "-u", "--format=posix", file).split()) - {"U"}


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

    if shutil.which(PREFIX + "g++") is None:
        print(f"skip freestanding: {PREFIX}g++ is missing (package g++-aarch64-linux-gnu)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    if not S2N_BIGNUM.exists():
        report("has the sources of s2n-bignum", "run tools/install")
        print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
        return 1
    p256 = ROOT / "trusted" / "p256"
    sources = core_sources() + p256_sources("s2n", p256) + p256_sources("s2n-arm64", S2N_BIGNUM)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda source: compile_one(source, folder), sources))
    objects = []
    for source, (target, messages) in zip(sources, built):
        report(f"compiles {source.relative_to(ROOT)}", messages.strip())
        if target is not None:
            objects.append(str(target))
    if len(objects) == len(sources):
        whole = str(folder / "trusted_core.o")
        subprocess.run([PREFIX + "ld", "-r", "-o", whole, *objects], check=True)
        report("needs nothing of a run time", ", ".join(sorted(undefined_in(whole) - ALLOWED)))
        sections = output_of(PREFIX + "readelf", "-SW", whole)
        constructors = [name for name in (".init_array", ".ctors", ".fini_array") if name in sections]
        report("runs nothing before its entry", ", ".join(constructors))
        report("throws nothing", ".gcc_except_table" if ".gcc_except_table" in sections else "")
        header = re.search(r"OS/ABI:\s*(.*)", output_of(PREFIX + "readelf", "-h", whole)).group(1)
        report("has the ELF header of a trusted application", "" if header == "UNIX - System V" else header)
        size, function = largest_frame(folder)
        report(f"uses at most {MAX_FRAME_BYTES} bytes of stack a function (largest: {size}, {function})",
               "too large" if size > MAX_FRAME_BYTES else "")
    for source in p256_sources("bearssl", p256):
        target, messages = compile_one(source, folder)
        problem = messages.strip()
        if not problem:
            problem = ", ".join(sorted(undefined_in(str(target)) - ALLOWED - BEARSSL_ALLOWED))
        report(f"{source.relative_to(ROOT)} needs BearSSL and nothing else", problem)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


sys.exit(main())
