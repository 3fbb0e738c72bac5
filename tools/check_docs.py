#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the documents speak of things that exist: links, paths, make targets, tests, identifiers. One rule is one
check. Ends with a line 'N passed, N failed, N skipped'."""
import fnmatch
import json
import pathlib
import posixpath
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUST_EXIST = ['README.md', 'ARCHITECTURE.md', 'STYLE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'LICENSE']
MAX_COLUMNS = 120
MAX_MODULE_README = 25
# Made by a build, not part of the repository.
MADE = ('build/', 'contracts/out', 'contracts/cache', 'contracts/node_modules')
FILE_ENDINGS = ('cpp', 'hpp', 'c', 'h', 'sol', 'mjs', 'cjs', 'py', 'md', 'cmake', 'svg', 'jsonl', 'toml', 'txt', 'ts')
REGISTRY_HOSTS = re.compile(r'registry\.npmjs\.org|npmjs\.com|pypi\.org|pythonhosted\.org|(?:index|static)\.crates\.io|'
                            r'proxy\.golang\.org|deb\.debian\.org|ghcr\.io|docker\.io')
MACHINE_PATHS = re.compile(r'(?<![\w.~/-])/(?:work|root|home/\w+|Users/\w+)/')
FENCE = re.compile(r'^\s*```')
SPAN = re.compile(r'`([^`\n]+)`')
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
ADR_PARTS = ['Context', 'Options', 'Choice', 'What was measured', 'Consequences']


def git_files():
    out = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, capture_output=True, text=True,
                         check=True).stdout
    return [line for line in out.splitlines() if (ROOT / line).is_file()]


class Document:
    def __init__(self, name):
        self.name = name
        self.folder = pathlib.PurePosixPath(name).parent
        self.lines = (ROOT / name).read_text().splitlines()
        # (number, text) of prose lines and of lines inside fences.
        self.prose, self.code = [], []
        fenced = False
        for number, line in enumerate(self.lines, 1):
            if FENCE.match(line):
                fenced = not fenced
            else:
                (self.code if fenced else self.prose).append((number, line))

    def spans(self):
        for number, line in self.prose:
            for text in SPAN.findall(line):
                yield number, text

    def at(self, number, words):
        return f'{self.name}:{number}: {words}'


FILES = git_files()
FILE_SET = set(FILES)
NAMES = {pathlib.PurePosixPath(f).name for f in FILES}
FOLDERS = {parent.as_posix() for f in FILES for parent in pathlib.PurePosixPath(f).parents}
TOP = {f.split('/')[0] for f in FILES}
DOCUMENTS = [Document(f) for f in FILES if f.endswith('.md')]


def exists(path):
    path = path.rstrip('/')
    if any(path.startswith(made.rstrip('/')) for made in MADE):
        return True
    # From the list of git, so that an empty folder or an ignored file of this machine does not count.
    path = posixpath.normpath(path)
    if '*' in path:
        return any(fnmatch.fnmatch(f, path) for f in FILES)
    return path in FOLDERS or path in FILE_SET


def expand(path):
    """a/{b,c} as a/b and a/c; one pair of braces."""
    found = re.search(r'\{([^{}]*)\}', path)
    if not found:
        return [path]
    return [path[:found.start()] + part + path[found.end():] for part in found.group(1).split(',')]


def required():
    for name in MUST_EXIST:
        if not (ROOT / name).is_file():
            yield f'{name} is missing'


def links():
    for document in DOCUMENTS:
        for number, line in document.prose:
            for target in LINK.findall(SPAN.sub('', line)):
                if re.match(r'[a-z]+:', target) or target.startswith('#'):
                    continue
                file, _, anchor = target.partition('#')
                if not exists((document.folder / file).as_posix()):
                    yield document.at(number, f'the link {target} leads nowhere')
                elif anchor and file.endswith('.md') and anchor not in anchors(ROOT / document.folder / file):
                    yield document.at(number, f'{file} has no heading for #{anchor}')


def anchors(path):
    for line in path.read_text().splitlines():
        if line.startswith('#'):
            text = line.lstrip('#').strip().lower()
            yield re.sub(r'[^\w\- ]', '', text).replace(' ', '-')


def paths():
    pattern = re.compile(r'^[\w.{},*-]+(?:/[\w.{},*-]+)*/?$')
    for document in DOCUMENTS:
        for number, text in document.spans():
            if not pattern.match(text) or re.search(r'\b[A-Z]{3,}\b', text.replace('README', '').replace('LICENSE', '')):
                continue
            for path in expand(text):
                if '/' in path:
                    local = (document.folder / path).as_posix()
                    if path.split('/')[0] not in TOP and not exists(local):
                        # Not a path of this repository unless it ends like a file of ours.
                        if path.rsplit('.', 1)[-1] not in FILE_ENDINGS:
                            continue
                        if any(f.endswith('/' + path) for f in FILES):
                            continue
                        yield document.at(number, f'{path} does not exist')
                    elif not exists(path) and not exists(local):
                        yield document.at(number, f'{path} does not exist')
                elif path.rsplit('.', 1)[-1] in FILE_ENDINGS and '.' in path.strip('.'):
                    if not fnmatch.filter(NAMES, path):
                        yield document.at(number, f'there is no file {path}')


def make_targets():
    known = set(re.findall(r'^([a-z][a-z-]*):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    pattern = re.compile(r'\bmake ([a-z][a-z-]*(?:\|[a-z][a-z-]*)*)')
    for document in DOCUMENTS:
        for number, text in [*document.spans(), *document.code]:
            for targets in pattern.findall(text):
                for target in targets.split('|'):
                    if target not in known:
                        yield document.at(number, f'the Makefile has no target {target}')


def tests():
    written = set()
    for file in FILES:
        text = (ROOT / file).read_text(errors='replace') if file.endswith(('_test.cpp', '.t.sol')) else ''
        written.update('.'.join(pair) for pair in re.findall(r'^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)', text, re.MULTILINE))
        written.update(re.findall(r'function ((?:test|testFuzz|invariant)_\w+)', text))
    for document in DOCUMENTS:
        for number, text in document.spans():
            cpp = re.fullmatch(r'[A-Za-z]\w*\.[A-Z][A-Za-z0-9]{7,}', text)
            solidity = re.fullmatch(r'(?:test|testFuzz|invariant)_[A-Z0-9]\w*', text)
            if (cpp or solidity) and text not in written:
                yield document.at(number, f'there is no test {text}')


def script_tests():
    """`tests/NAME/run FUNCTION`: a function of that script which it lists among its tests."""
    for document in DOCUMENTS:
        for number, text in document.spans():
            named = re.fullmatch(r'(tests/\w+/run) ([a-z]\w*)', text)
            if named and named[1] in FILE_SET:
                script = (ROOT / named[1]).read_text()
                listed = re.search(rf'^(?:\w+\.)?TESTS = \[[^]]*\b{named[2]}\b', script, re.MULTILINE)
                if not listed or not re.search(rf'^def {named[2]}\(', script, re.MULTILINE):
                    yield document.at(number, f'{named[1]} has no test {named[2]}')
            elif named:
                yield document.at(number, f'there is no {named[1]}')


def identifiers():
    """Errors, functions, fields and methods in backticks occur in the code; so a renamed error is noticed."""
    source = set()
    for file in FILES:
        if file.endswith(('.cpp', '.hpp', '.sol', '.mjs', '.cjs', '.js', '.ts', '.py', '.txt', '.json', 'Makefile')) or '/' not in file:
            if not file.endswith('.md') and file != 'tools/check_docs.py':
                source.update(re.findall(r'\w+', (ROOT / file).read_text(errors='replace')))
    for document in DOCUMENTS:
        for number, text in document.spans():
            if re.fullmatch(r'[a-z0-9]+(?:_[A-Za-z0-9]+)+|k[A-Z][A-Za-z0-9]+', text) and text not in source:
                if not re.match(r'(?:test|testFuzz|invariant)_', text) and f'{text}' not in NAMES:
                    yield document.at(number, f'{text} occurs nowhere in the code')


def readme_commands():
    text = (ROOT / 'README.md').read_text()
    for command in ('make run', 'make test'):
        if not re.search(rf'^{command}\b', text, re.MULTILINE):
            yield f'README.md: the command "{command}" is not shown on a line of its own'


def foreign_places():
    for document in DOCUMENTS:
        for number, line in enumerate(document.lines, 1):
            if REGISTRY_HOSTS.search(line):
                yield document.at(number, 'the host of a package registry')
            if MACHINE_PATHS.search(line):
                yield document.at(number, 'a path of one machine')


def sizes():
    modules = {f.rsplit('/', 1)[0] for f in FILES if re.fullmatch(r'community/\w+/README\.md', f)}
    for document in DOCUMENTS:
        if document.folder.as_posix() in modules and len(document.lines) > MAX_MODULE_README:
            yield document.at(len(document.lines), f'more than {MAX_MODULE_README} lines')
        if document.folder.as_posix() not in ('.', 'docs', 'docs/adr'):
            continue
        for number, line in document.prose:
            if len(line) > MAX_COLUMNS and not line.lstrip().startswith('|') and '](' not in line:
                yield document.at(number, f'{len(line)} columns, {MAX_COLUMNS} at most outside tables')


def decisions():
    """Numbers without gaps, the five parts, and a line in ARCHITECTURE.md."""
    architecture = (ROOT / 'ARCHITECTURE.md').read_text()
    records = sorted(f for f in FILES if re.fullmatch(r'docs/adr/\d{4}-[\w-]+\.md', f))
    for expected, name in enumerate(records, 1):
        if not name.startswith(f'docs/adr/{expected:04}-'):
            yield f'{name}: the number {expected:04} is missing before it'
            return
        headings = re.findall(r'^## (.+)$', (ROOT / name).read_text(), re.MULTILINE)
        if headings != ADR_PARTS:
            yield f'{name}: its parts must be {", ".join(ADR_PARTS)}'
        if f'({name})' not in architecture:
            yield f'{name}: ARCHITECTURE.md does not list it'


def modules():
    """ARCHITECTURE.md has a line for each module."""
    architecture = (ROOT / 'ARCHITECTURE.md').read_text()
    for module in json.loads((ROOT / 'tools/module_deps.json').read_text())['layers']:
        if not re.search(rf'`(?:{module}|{module.split("/")[1]})/?`', architecture):
            yield f'ARCHITECTURE.md: no line for {module}'


def pictures():
    for file in FILES:
        if file.startswith('docs/') and file.endswith('.svg'):
            try:
                xml.etree.ElementTree.parse(ROOT / file)
            except xml.etree.ElementTree.ParseError as error:
                yield f'{file}: {error}'


def proxies():
    """The proxies that operators copy let the largest file through that people bring."""
    text = (ROOT / 'community/arrivals/api/imports.hpp').read_text()
    mebibytes = int(re.search(r'kMaxFileBytes = (\d+)u << 20;', text)[1])
    wanted = {'docs/operating/nginx.conf': rf'location = /api/v1/imports {{\s+client_max_body_size {mebibytes}m;',
              'docs/operating/Caddyfile': rf'@(\w+) path /api/v1/imports\s+request_body @\1 {{\s+max_size {mebibytes}MiB'}
    for file, pattern in wanted.items():
        if not re.search(pattern, (ROOT / file).read_text()):
            yield f'{file}: /api/v1/imports takes {mebibytes} MiB'


def main():
    rules = [required, links, paths, make_targets, tests, script_tests, identifiers, readme_commands, foreign_places, sizes,
             decisions, modules, pictures, proxies]
    passed = failed = 0
    for rule in rules:
        problems = list(rule())
        for problem in problems:
            print(f'docs: {problem}')
        passed, failed = (passed, failed + 1) if problems else (passed + 1, failed)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


sys.exit(main())
