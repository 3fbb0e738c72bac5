#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of STYLE.md that a program can check, one check a rule. Ends with 'N passed, N failed, N skipped'."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = {'.cpp', '.hpp', '.c', '.h', '.sol', '.ts', '.mjs', '.cjs', '.py', '.rs'}
MAX_LINES = 800
MAX_FUNCTION = 70
# Word on the left: what to write instead.
BANNED = {
    r'\bsession[_ ]keys?\b(?=.*grant)': 'session grant',
    r'\bwhitelist|\bblacklist': 'allow-list, refuse-list',
    r'\bentrypoint\b': 'entry point (EntryPoint for the contract)',
    r'\butils?\.(?:hpp|cpp|sol|ts)\b': 'a name that says what is inside',
    r'\bstd::cout\b': 'the log, or a function that takes a stream',
    r'\bstrcpy\(|\bsprintf\(|\brand\(\)': 'a bounded function',
    r'\bsleep_for\(std::chrono': 'wait for the event itself',
    # community/infra/api/task.hpp; found by a test that g++ 12.2 had corrupted the heap of.
    r'^[^"/]*\? [^:"]*\bco_await\b': 'if and else around co_await',
}
# Text of SQL may be joined to constants and to names of tables that a program gives itself, never to a value.
SQL = re.compile(r'"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER|SET|PRAGMA|SAVEPOINT) [^;]*;', re.DOTALL)
SQL_JOINED = re.compile(r'(?:"\s*\+|\+=|<<)\s*(?:std::string\()?([A-Za-z_][\w.:>-]*)|([\w.:>-]+)\(?[^"+<]*\)?\s*\+\s*"')
SQL_CONSTANTS = re.compile(r'k[A-Z]\w*|tables_?\.\w+|condition|rest')
LEFT_OVER = re.compile(r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK']) + r')\b')
EXEMPT_FROM_WORDS = {'tools/check_style.py'}


def tracked():
    out = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, capture_output=True, text=True,
                         check=True).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).is_file()]


def name(path):
    return path.relative_to(ROOT).as_posix()


def licence(files):
    for path in files:
        head = path.read_text(errors='replace')[:400]
        if 'SPDX-License-Identifier: ' not in head:
            yield f'{name(path)}: no SPDX line at the top'


def left_over(files):
    for path in files:
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            if LEFT_OVER.search(line):
                yield f'{name(path)}:{number}: a leftover marker'


def words(files):
    for path in files:
        if name(path) in EXEMPT_FROM_WORDS or path.suffix not in {'.cpp', '.hpp', '.c', '.h'}:
            continue
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            for pattern, instead in BANNED.items():
                # Programs talk to a terminal; the modules below them do not.
                if 'std::cout' in pattern.replace('\\b', '') and name(path).startswith('cmd/'):
                    continue
                if re.search(pattern, line):
                    yield f'{name(path)}:{number}: write {instead}'


def file_size(files):
    for path in files:
        lines = len(path.read_text(errors='replace').splitlines())
        if lines > MAX_LINES:
            yield f'{name(path)}: {lines} lines, {MAX_LINES} at most'


FUNCTION_START = re.compile(r'^[A-Za-z_].*\)\s*(?:const|noexcept|override|final|\s|->.*)*\{\s*$')


def function_size(files):
    for path in files:
        if path.suffix not in {'.cpp', '.hpp', '.c', '.h'}:
            continue
        start = None
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            if start is None and FUNCTION_START.match(line) and not line.startswith(('namespace', 'struct', 'class')):
                start = number
            elif start is not None and line.startswith('}'):
                if number - start + 1 > MAX_FUNCTION:
                    yield f'{name(path)}:{start}: a function of {number - start + 1} lines, {MAX_FUNCTION} at most'
                start = None


def trailing_comments(files):
    code = re.compile(r'[;{},]\s+//(?!/)(?! namespace| clang-format| NOLINT)')
    for path in files:
        if path.suffix not in {'.cpp', '.hpp'}:
            continue
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            if code.search(line) and '"' not in line:
                yield f'{name(path)}:{number}: a trailing comment; put it above'


def format_is_clean(files):
    tool = shutil.which('clang-format-14') or shutil.which('clang-format')
    if tool is None:
        return None
    sources = [str(p) for p in files if p.suffix in {'.cpp', '.hpp'}]
    out = subprocess.run([tool, '--dry-run', '-Werror', *sources], capture_output=True, text=True).stderr
    bad = sorted({line.split(':')[0] for line in out.splitlines() if 'error:' in line})
    return [f'{name(pathlib.Path(p))}: not formatted (make format)' for p in bad]


def module_readme(_):
    for base in ('community', 'trusted'):
        for folder in sorted((ROOT / base).iterdir()):
            if base == 'trusted' or not any(folder.glob('*.?pp')):
                continue
            readme = folder / 'README.md'
            if not readme.exists():
                yield f'{name(folder)}: no README.md'
            elif len(readme.read_text().splitlines()) > 25:
                yield f'{name(readme)}: more than 25 lines'


def machine_paths(files):
    pattern = re.compile(r'(?<![\w./-])/(?:work|root|home/\w+)/')
    for path in files:
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            if pattern.search(line) and name(path) not in EXEMPT_FROM_WORDS:
                yield f'{name(path)}:{number}: a path of one machine'


def sql_has_no_values(files):
    for path in files:
        if not name(path).startswith('community/') or path.suffix != '.cpp' or '_test' in path.stem or '/fake/' in name(path):
            continue
        text = path.read_text()
        for statement in SQL.finditer(text):
            for joined in SQL_JOINED.finditer(statement.group()):
                word = joined.group(1) or joined.group(2)
                if not SQL_CONSTANTS.fullmatch(word) and word != 'soci::use':
                    number = text.count('\n', 0, statement.start() + joined.start()) + 1
                    yield f'{name(path)}:{number}: SQL is joined to {word}; bind values with soci::use'


def main():
    files = [p for p in tracked() if p.suffix in SOURCE]
    rules = [licence, left_over, words, file_size, function_size, trailing_comments, format_is_clean, module_readme,
             machine_paths, sql_has_no_values]
    passed = failed = skipped = 0
    for rule in rules:
        problems = rule(files)
        if problems is None:
            print(f'style: {rule.__name__} skipped: its tool is missing')
            skipped += 1
            continue
        problems = list(problems)
        for problem in problems:
            print(f'style: {problem}')
        passed, failed = (passed, failed + 1) if problems else (passed + 1, failed)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


sys.exit(main())
