#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation test of the contracts: changes one token of a function's body at a time, in a copy of this folder, and looks
whether a test fails. A mutant that no test kills is a place where a test is missing, or one that changes nothing.

    python3 tools/mutate.py --count 300 --seed 1 --jobs 2 --out report.json [--only src/account] [--list]

Every function gets one mutant before any gets its second, so that none is left out. The same seed makes the same sample
of the same sources. Survivors that change nothing are explained in `mutation-survivors.json`, by function and change."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / 'mutation-survivors.json'

# What may stand where: (operator, pattern of one token, replacements).
SWAPS = [
    ('relation', r'<=', ['<', '>']), ('relation', r'>=', ['>', '<']),
    ('relation', r'(?<![<>=-])<(?![<=])', ['<=', '>=']), ('relation', r'(?<![<>=-])>(?![>=])', ['>=', '<=']),
    ('relation', r'==', ['!=']), ('relation', r'!=', ['==']),
    ('logic', r'&&', ['||']), ('logic', r'\|\|', ['&&']), ('logic', r'(?<![=!])!(?!=)', ['']),
    ('arithmetic', r'(?<=[\w)\]] )\+(?= [\w(])', ['-']), ('arithmetic', r'(?<=[\w)\]] )-(?= [\w(])', ['+']),
    ('arithmetic', r'(?<=[\w)\]] )\*(?= [\w(])', ['/']), ('arithmetic', r'(?<=[\w)\]] )/(?= [\w(])', ['*']),
    ('arithmetic', r'\+=', ['-=', '=']), ('arithmetic', r'-=', ['+=', '=']),
    ('bits', r'(?<=[\w)\]] )\|(?= [\w(])', ['&']), ('bits', r'(?<=[\w)\]] )&(?= [\w(~])', ['|']),
    ('bits', r'\|=', ['&=', '=']), ('bits', r'&=', ['|=', '=']), ('bits', r'<<', ['>>']), ('bits', r'>>', ['<<']),
    ('constant', r'\btrue\b', ['false']), ('constant', r'\bfalse\b', ['true']),
    ('constant', r'(?<![\w.])\d+(?![\w.])', ['+1', '-1']),
]
# Whole statements that go away.
REMOVALS = [
    ('no refusal', r'if \([^{};]*\) revert [^;]+;'),
    ('always refused', r'if \((?P<condition>[^{};]*)\) revert [^;]+;'),
    ('no assignment', r'(?<=[;{}]\n)\s+[\w$.\[\]()]+ = [^;{}]+;'),
    ('no deletion', r'\bdelete [^;]+;'),
    ('no event', r'\bemit [^;]+;'),
    ('no call', r'(?<=[;{}]\n)\s+_\w+\([^;{}]*\);'),
]


def blank(source):
    """The source with comments and strings blanked out, every offset as it was."""
    def cover(match):
        return re.sub(r'[^\n]', ' ', match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', cover, source, flags=re.S)


def functions(code):
    """(name, start, end) of each body."""
    for match in re.finditer(r'\b(?:function\s+(\w+)|(constructor)|modifier\s+(\w+)|(receive))\b', code):
        name = next(group for group in match.groups() if group)
        place = match.end()
        while place < len(code) and code[place] not in '{;':
            place += 1
        if place >= len(code) or code[place] == ';':
            continue
        depth, end = 0, place
        while end < len(code):
            depth += {'{': 1, '}': -1}.get(code[end], 0)
            end += 1
            if depth == 0:
                break
        yield name, place, end


def mutants_of(path):
    source = path.read_text()
    code = blank(source)
    name = str(path.relative_to(ROOT))
    for function, start, end in functions(code):
        body = code[start:end]
        for kind, pattern, replacements in SWAPS:
            for match in re.finditer(pattern, body):
                old = match.group(0)
                for new in replacements:
                    if kind == 'constant' and new in ('+1', '-1'):
                        if int(old) + int(new) < 0:
                            continue
                        new = str(int(old) + int(new))
                    yield mutant(name, source, function, kind, start + match.start(), old, new)
        for kind, pattern in REMOVALS:
            for match in re.finditer(pattern, body):
                old = source[start + match.start():start + match.end()]
                new = ''
                if kind == 'always refused':
                    condition = source[start + match.start('condition'):start + match.end('condition')]
                    new = old.replace(f'({condition})', '(true)', 1)
                yield mutant(name, source, function, kind, start + match.start(), old, new)


def mutant(name, source, function, kind, offset, old, new):
    line = source.count('\n', 0, offset + len(old) - len(old.lstrip())) + 1
    text = source.splitlines()[line - 1].strip()
    return {'file': name, 'line': line, 'function': function, 'kind': kind, 'offset': offset, 'old': old, 'new': new,
            'text': text}


def key(one):
    """Names a mutant independently of the lines around it."""
    return f"{one['file']}:{one['function']}:{one['kind']}:{one['text']}:{one['old'].strip()}→{one['new'].strip()}"


def sample(all_mutants, count, seed):
    """One of each function first, then any."""
    order = random.Random(seed)
    groups = {}
    for one in all_mutants:
        groups.setdefault((one['file'], one['function']), []).append(one)
    for group in groups.values():
        order.shuffle(group)
    queue = [group[0] for group in groups.values()]
    rest = [one for group in groups.values() for one in group[1:]]
    order.shuffle(queue)
    order.shuffle(rest)
    return (queue + rest), min(count, len(all_mutants))


class Workshop:
    """A copy of the folder that a worker changes; packages are shared."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='mutants-'))
        for entry in ('src', 'test', 'tools', 'foundry.toml', 'package.json'):
            source = ROOT / entry
            (shutil.copytree if source.is_dir() else shutil.copy)(source, self.folder / entry)
        os.symlink(ROOT / 'node_modules', self.folder / 'node_modules')
        for entry in ('out', 'cache'):
            if (ROOT / entry).exists():
                shutil.copytree(ROOT / entry, self.folder / entry)

    def forge(self, *arguments, patience_s=1_800):
        environment = {**os.environ, 'FOUNDRY_PROFILE': 'mutation'}
        return subprocess.run(['npx', '--no-install', 'forge', *arguments], cwd=self.folder, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=patience_s)

    def judge(self, one):
        """'killed', 'survived', or 'invalid' when it does not compile."""
        path = self.folder / one['file']
        source = path.read_text()
        assert source[one['offset']:one['offset'] + len(one['old'])] == one['old'], key(one)
        path.write_text(source[:one['offset']] + one['new'] + source[one['offset'] + len(one['old']):])
        try:
            if self.forge('build', '--skip', 'test').returncode != 0:
                return 'invalid'
            return 'survived' if self.forge('test', '--fail-fast').returncode == 0 else 'killed'
        except subprocess.TimeoutExpired:
            # A loop without end is as good as a failed test.
            return 'killed'
        finally:
            path.write_text(source)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def run(queue, count, jobs):
    results, lock, local = [], threading.Lock(), threading.local()
    workshops = []
    places = iter(queue)

    def work():
        if not hasattr(local, 'shop'):
            local.shop = Workshop()
            workshops.append(local.shop)
            baseline = local.shop.forge('test')
            if baseline.returncode != 0:
                raise SystemExit('the tests fail without any mutant:\n' + baseline.stdout[-3000:])
        while True:
            with lock:
                if sum(r['verdict'] != 'invalid' for r in results) >= count:
                    return
                one = next(places, None)
            if one is None:
                return
            begin = time.monotonic()
            verdict = local.shop.judge(one)
            with lock:
                results.append({**one, 'verdict': verdict, 'key': key(one)})
                done = sum(r['verdict'] != 'invalid' for r in results)
                print(f"{done:4}/{count} {verdict:9}{time.monotonic() - begin:6.1f} s  "
                      f"{one['file']}:{one['line']} {one['function']}: {one['kind']} {one['old'].strip()[:40]!r} → "
                      f"{one['new'].strip()[:40]!r}", flush=True)
    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for future in [pool.submit(work) for _ in range(jobs)]:
                future.result()
    finally:
        for shop in workshops:
            shop.close()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--count', type=int, default=300)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--only', default='src', help='folder or file, from the contracts folder')
    parser.add_argument('--out', type=pathlib.Path)
    parser.add_argument('--list', action='store_true', help='show the sample and run nothing')
    arguments = parser.parse_args()
    base = ROOT / arguments.only
    paths = sorted([base] if base.is_file() else base.rglob('*.sol'))
    everything = [one for path in paths for one in mutants_of(path)]
    queue, count = sample(everything, arguments.count, arguments.seed)
    digest = hashlib.sha256(b''.join(path.read_bytes() for path in paths)).hexdigest()[:16]
    print(f'seed {arguments.seed}, sources {digest}: {len(everything)} mutants in '
          f"{len({(m['file'], m['function']) for m in everything})} functions, {count} of them tried", flush=True)
    if arguments.list:
        for one in queue[:count]:
            print(key(one))
        return 0
    results = run(queue, count, arguments.jobs)
    explained = json.loads(EXPLAINED.read_text()) if EXPLAINED.exists() else {}
    tried = [r for r in results if r['verdict'] != 'invalid']
    survivors = [r for r in tried if r['verdict'] == 'survived']
    open_ones = [r for r in survivors if r['key'] not in explained]
    killed = len(tried) - len(survivors)
    for one in survivors:
        print(f"survived: {one['key']}\n          {explained.get(one['key'], 'NOT EXPLAINED')}")
    print(f'{killed} of {len(tried)} killed ({100 * killed / max(1, len(tried)):.1f} %), {len(survivors)} survived, '
          f'{len(open_ones)} of them not explained; {len(results) - len(tried)} did not compile')
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1))
    return 1 if open_ones or killed < 0.95 * len(tried) else 0


if __name__ == '__main__':
    sys.exit(main())
