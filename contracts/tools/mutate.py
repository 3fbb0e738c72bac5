#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation test of the contracts: small defects are put into a copy of them, one at a time, and each must make a test
fail. A mutant that survives is a place where a test is missing, or a change that changes nothing.

    python3 tools/mutate.py            the whole run: minutes of compiling, then two to five seconds a mutant
    python3 tools/mutate.py --list     the sample, and nothing is run

All mutants of the sample are compiled at once, each behind a switch (`mutation/switches.py`), so a mutant costs one run
of the tests and no compilation. Every function gets one mutant before any gets its second. The same seed makes the same
sample of the same sources. Results and the reasons for survivors are in `mutation.json`. A second run in the same
folder tries again what changed tests could change: survivors, and mutants whose killer changed."""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

# Compiled modules would lie among the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mutation import operators, report, switches, syntax  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORT = ROOT / 'mutation.json'

# Who is no judge, and is named in the report. Switches make code larger and dearer, so what measures size or gas fails
# without any mutant.
NO_JUDGES = ['GasTest', 'MultisigCosts', 'SizesTest']

# These look for forbidden opcodes in traces, which forge does not record here: those of failed tests would be hundreds
# of megabytes.
NO_JUDGE_TESTS = [
    'test_6_CreationUsesNoForbiddenOpcode', 'test_6_ValidationIsCleanAndComplete', 'test_ValidationIsCleanAndComplete',
    'test_ValidationHasNoContextNoWriteAndNoForbiddenOpcode']

# Random moves over weeks: slow, and with few of them a matter of luck.
NO_JUDGE_FOLDER = 'actors'

# Most mutants die early; who survives these few runs meets the full counts of foundry.toml.
FEW = {'FOUNDRY_FUZZ_RUNS': '16', 'FOUNDRY_INVARIANT_RUNS': '4', 'FOUNDRY_INVARIANT_DEPTH': '16'}
CODE_SIZE_LIMIT = 1_000_000

# All tests take ten to thirty seconds. So many are a loop without end, which is as good as a failed test.
PATIENCE_S = 240

# A link reference, as the compiler writes it. These contracts have no other library that is linked.
PLACEHOLDER = re.compile(r'__\$[0-9a-f]{34}\$__')


def sample(mutants, count, seed):
    """One mutant of each function first, then any."""
    order = random.Random(seed)
    groups = collections.defaultdict(list)
    for one in mutants:
        groups[one.file, one.function].append(one)
    for group in groups.values():
        order.shuffle(group)
    first = [group[0] for group in groups.values()]
    rest = [one for group in groups.values() for one in group[1:]]
    order.shuffle(rest)
    return first + rest, max(count, len(first))


def digest(files):
    """Of the code: comments and white space change no mutant."""
    code = [re.sub(r'//[^\n]*|/\*.*?\*/|\s+', ' ', (ROOT / file).read_text(), flags=re.S) for file in sorted(files)]
    return hashlib.sha256(re.sub(' +', ' ', ''.join(code)).encode()).hexdigest()


def without_references(artifact):
    """The artifact as if nothing in it had to be linked: otherwise forge would link it itself."""
    content = json.loads(artifact)
    for part in ('bytecode', 'deployedBytecode'):
        content[part]['linkReferences'] = {}
    return json.dumps(content)


class Workshop:
    """A copy of this folder with all mutants of the sample in it."""

    def __init__(self, folder):
        self.folder = folder
        self.templates = {}
        self.killers = collections.defaultdict(collections.Counter)

    def fill(self):
        """Copies what differs, so that forge compiles only that again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for entry in ('test', 'tools'):
            shutil.rmtree(self.folder / entry, ignore_errors=True)
            shutil.copytree(ROOT / entry, self.folder / entry, ignore=shutil.ignore_patterns(NO_JUDGE_FOLDER))
        shutil.copy(ROOT / 'package.json', self.folder)
        settings = (ROOT / 'foundry.toml').read_text()
        settings = re.sub(r'^verbosity = 3$', 'verbosity = 0', settings, flags=re.M)
        (self.folder / 'foundry.toml').write_text(
            settings.replace('[profile.default]\n', f'[profile.default]\ncode_size_limit = {CODE_SIZE_LIMIT}\n', 1))
        self.hasten()
        if not (self.folder / 'node_modules').exists():
            os.symlink((ROOT / 'node_modules').resolve(), self.folder / 'node_modules')

    def hasten(self):
        """forge asks the compiler for its version at each start, and the whole compiler is loaded to answer."""
        wrapper, real = self.folder / 'tools/solc-wrapper.cjs', self.folder / 'tools/solc-itself.cjs'
        wrapper.replace(real)
        version = subprocess.run([str(ROOT / 'tools/solc-wrapper.cjs'), '--version'], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout
        wrapper.write_text(f"""#!/bin/sh
if [ "$1" = --version ]; then cat <<'END'
{version}END
else exec "$(dirname "$0")/solc-itself.cjs" "$@"; fi
""")
        wrapper.chmod(0o755)

    def plant(self, trees, queue, count):
        """Writes the first `count` mutants of `queue` that compile. Returns [(number, mutant)] and how many did not."""
        refused = set()
        while True:
            chosen = [(number, one) for number, one in enumerate(queue, 1) if number not in refused][:count]
            shutil.rmtree(self.folder / 'src', ignore_errors=True)
            shutil.copytree(ROOT / 'src', self.folder / 'src')
            switches.write(ROOT, self.folder, trees, chosen)
            try:
                syntax.analyse(self.folder, [str(path.relative_to(self.folder))
                                             for path in sorted((self.folder / 'src').rglob('*.sol'))])
                return chosen, len(refused)
            except syntax.CompilerErrors as failure:
                found = {switches.culprit(self.folder, file, start): message
                         for file, start, message in failure.errors if file}
                if None in found or not found:
                    raise SystemExit(f'{self.folder}: no mutant answers for this\n{failure}')
                for number, message in sorted(found.items()):
                    print(f'  not compiled: {queue[number - 1].key()}  ({message[:80]})')
                refused |= set(found)

    def forge(self, *arguments, patience_s=3_600, environment=None):
        command = [str(self.folder / 'node_modules/.bin/forge'), *arguments]
        process = subprocess.Popen(command, cwd=self.folder, env={**os.environ, **(environment or {})}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            output, errors = process.communicate(timeout=patience_s)
            return process.returncode, output, errors
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, '', ''

    def build(self):
        """Compiles, and keeps a copy of each artifact that has a switch in it. Returns how many there are."""
        kept = self.folder / 'switched'
        if kept.exists():
            shutil.copytree(kept, self.folder / 'out', dirs_exist_ok=True)
        code, output, errors = self.forge('build')
        if code != 0:
            raise SystemExit((output + errors)[-5000:])
        self.compiled = self.cache()
        for path in sorted((self.folder / 'out').rglob('*.json')):
            text = path.read_text()
            if PLACEHOLDER.search(text):
                self.templates[path] = without_references(text)
                copy = kept / path.relative_to(self.folder / 'out')
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(text)
        return len(self.templates)

    def cache(self):
        return (self.folder / 'cache/solidity-files-cache.json').read_bytes()

    def choose(self, number):
        """Links all artifacts with mutant `number`; 0 is none."""
        for path, text in self.templates.items():
            path.write_text(PLACEHOLDER.sub(f'{number:040x}', text))

    def test(self, *selection, environment=None):
        """(whether all tests passed, the tests that did not)."""
        for folder in ('fuzz', 'invariant'):
            shutil.rmtree(self.folder / 'cache' / folder, ignore_errors=True)
        judges = ['--no-match-contract', f"^({'|'.join(NO_JUDGES)})$", '--no-match-test', '|'.join(NO_JUDGE_TESTS)]
        code, output, errors = self.forge('test', '--json', *judges, *selection, patience_s=PATIENCE_S,
                                          environment=environment)
        if code is None:
            return False, ['a run without end']
        if self.cache() != self.compiled:
            raise SystemExit('forge compiled again, so the mutant was not what ran')
        if output.startswith('No tests'):
            return True, []
        try:
            suites = json.loads(output)
        except ValueError:
            raise SystemExit(f'forge said what cannot be read:\n{output[-2000:]}\n{errors[-2000:]}') from None
        failed = [suite.split(':')[0] + ':' + name.split('(')[0] for suite, result in suites.items()
                  for name, test in result['test_results'].items() if test['status'] == 'Failure']
        if code != 0 and not failed:
            raise SystemExit(f'forge ended with {code}:\n{output[-2000:]}\n{errors[-2000:]}')
        return not failed, failed

    def baseline(self):
        """Seconds that all judges take. Without a mutant they have nothing to say."""
        self.choose(0)
        begin = time.monotonic()
        passed, failed = self.test()
        if not passed:
            raise SystemExit(f'fail without a mutant: {failed}')
        return time.monotonic() - begin

    def judge(self, number, mutant):
        """The first test that failed, or None when the mutant survived."""
        self.choose(number)
        likely = self.likely(mutant)
        # A pattern of one alternative is none; no file has this name.
        pattern = '{' + ','.join([*likely, 'none']) + '}'
        rounds = [(['--match-path', pattern], FEW)] if likely else []
        for selection, environment in [*rounds, ([], FEW), ([], {})]:
            passed, failed = self.test('--fail-fast', *selection, environment=environment)
            if not passed:
                return failed[0]
        return None

    def likely(self, mutant):
        """The test files that killed most of what is near."""
        near = [file for file, _ in self.killers[mutant.file, mutant.function].most_common(2)]
        return list(dict.fromkeys(near + [file for file, _ in self.killers[mutant.file].most_common(3)]))

    def remember(self, mutant, killer):
        if killer.startswith('test/'):
            for place in (mutant.file, (mutant.file, mutant.function)):
                self.killers[place][killer.split(':')[0]] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--count', type=int, default=500)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--folder', type=pathlib.Path, default=ROOT.parent / 'build/mutation',
                        help='where to work; kept, so that a second run compiles less')
    parser.add_argument('--minutes', type=float, default=float('inf'),
                        help='try no new mutant after so many, and report those that were tried')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--plant', action='store_true', help='write the sources with all mutants, and run nothing')
    options = parser.parse_args()
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / 'src').rglob('*.sol'))
    trees = syntax.analyse(ROOT, files)
    everything, names = operators.mutants_of(ROOT, trees, files)
    queue, count = sample(everything, options.count, options.seed)
    print(f'seed {options.seed}, sources {digest(files)[:16]}: {len(everything)} mutants in {len(names)} functions, '
          f'{count} of them are tried', flush=True)
    if options.list:
        for one in queue[:count]:
            print(one.key())
        return 0
    shop = Workshop(options.folder.resolve())
    shop.fill()
    chosen, refused = shop.plant(trees, queue, count)
    if options.plant:
        return 0
    begin = time.monotonic()
    print(f'{shop.build()} artifacts have switches, compiled in {time.monotonic() - begin:.0f} s', flush=True)
    print(f'all tests pass without a mutant, in {shop.baseline():.0f} s', flush=True)
    head = {'seed': options.seed, 'commit': commit(), 'sources': digest(files), 'possible': len(everything),
            'not compiled': refused, 'no judges': [f'test/{NO_JUDGE_FOLDER}', *NO_JUDGES, *NO_JUDGE_TESTS]}
    last = report.read(REPORT)
    results = run(shop, chosen, Memory(shop.folder, digest(files)), options.minutes * 60)
    found = report.made(head, results, report.reasons(last))
    REPORT.write_text(report.written(found))
    open_ones = [one for one in found['survivors'] if not one['reason']]
    print(f"{found['killed']} of {found['tried']} killed ({found['score']} %), without equivalent ones "
          f"{found['score without equivalent']} %; {len(open_ones)} survivors have no reason in {REPORT.name}")
    return 1 if open_ones or found['score'] < 100 * report.WANTED else 0


def commit():
    """The last one that changed the sources."""
    return subprocess.run(['git', 'log', '-1', '--format=%h', '--abbrev=12', '--', 'src'], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Memory:
    """What was found before, in a file of the folder: valid as long as the sources and the test that decided are the
    same, for a survivor all tests. So a run that was stopped goes on, and a changed test costs what it decided."""

    def __init__(self, folder, sources):
        self.folder, self.file = folder, folder / f'found-{sources[:16]}.jsonl'
        self.found = {}
        if self.file.exists():
            for line in self.file.read_text().splitlines():
                key, killer, tests = json.loads(line)
                self.found[key] = (killer, tests)

    def tests(self, killer):
        """Digest of the test file that killed, with what all tests share; of all tests where none did alone."""
        own = killer.split(':')[0] if killer and killer.startswith('test/') else None
        paths = [path for path in sorted((self.folder / 'test').rglob('*.sol'))
                 if own is None or 'Fixture' in path.name or path.parent.name == 'support' or
                 path.relative_to(self.folder).as_posix() == own]
        return hashlib.sha256(b''.join(path.read_bytes() for path in paths)).hexdigest()[:16]

    def knows(self, mutant):
        killer, tests = self.found.get(mutant.key(), (None, ''))
        return tests != '' and tests == self.tests(killer)

    def keep(self, mutant, killer):
        self.found[mutant.key()] = (killer, self.tests(killer))
        with self.file.open('a') as log:
            print(json.dumps([mutant.key(), *self.found[mutant.key()]]), file=log)


def run(shop, chosen, memory, patience_s):
    """[(mutant, test that killed it or None)], in the order of the sample."""
    results, begin = [], time.monotonic()
    for number, one in chosen:
        start = time.monotonic()
        if start - begin > patience_s:
            break
        if memory.knows(one):
            killer, _ = memory.found[one.key()]
        else:
            killer = shop.judge(number, one)
            memory.keep(one, killer)
            print(f"{len(results) + 1:4}/{len(chosen)} {'killed' if killer else 'SURVIVED':9}"
                  f"{time.monotonic() - start:5.1f} s  {one.key()}  [{killer or ''}]", flush=True)
        shop.remember(one, killer or '')
        results.append((one, killer))
    return results


if __name__ == '__main__':
    sys.exit(main())
