#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that includes follow tools/module_deps.json: a file includes its own module, the modules its module may use, and
of those only the public part, and no module reaches itself. Ends with a line 'N passed, N failed, N skipped'; one module is one check."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]((?:community|trusted|cmd)/[^">]+)[">]', re.MULTILINE)
# Modules of values and pure functions: all of their headers are their door.
OPEN = {'community/core', 'trusted/base', 'trusted/ethereum', 'trusted/protocol', 'trusted/port', 'trusted/webauthn', 'trusted/hpke',
        'trusted/core'}
# Single headers that are public although their folder is not.
OPEN_HEADERS = {'trusted/process/crypto.hpp', 'trusted/p256/p256.hpp', 'trusted/qemu/device.hpp'}
# Folders that only tests may look into besides their own module.
TEST_SUPPORT = ('/fake/', '/tests/', '/factory.hpp')


def module_of(path):
    parts = pathlib.PurePosixPath(path).parts
    return '/'.join(parts[:2])


def is_test(path):
    return path.name.endswith('_test.cpp') or '/tests/' in path.as_posix() or '/test_support/' in path.as_posix()


def cycle(layers):
    """A module that can reach itself, as the list of modules on the way; empty when data flows one way."""
    done = set()

    def visit(module, way):
        if module in way:
            return way[way.index(module):] + [module]
        if module in done:
            return []
        for target in layers[module]:
            found = visit(target, way + [module])
            if found:
                return found
        done.add(module)
        return []

    for module in layers:
        found = visit(module, [])
        if found:
            return found
    return []


def allowed(path, module, include, layers, of_tests):
    target = module_of(include)
    if target == module:
        return None
    if target not in layers:
        return f'includes {include} of a module that tools/module_deps.json does not know'
    if is_test(path) and target in of_tests.get(module, []):
        return None
    if is_test(path) and (target in layers[module] or any(part in include for part in TEST_SUPPORT)):
        return None
    if target not in layers[module]:
        return f'must not use {target}'
    if target in OPEN or include in OPEN_HEADERS or f'{target}/api/' in include:
        return None
    return f'includes {include}: only {target}/api is public'


def main():
    rules = json.loads((ROOT / 'tools/module_deps.json').read_text())
    layers, of_tests = rules['layers'], rules['tests']
    around = cycle(layers)
    if around:
        print(f'modules: data flows in a circle: {" -> ".join(around)}')
    passed, failed = (0, 1) if around else (1, 0)
    on_disk = {module_of(p.relative_to(ROOT).as_posix()) for base in ('community', 'trusted')
               for p in (ROOT / base).rglob('*.?pp')}
    for module in sorted(on_disk | set(layers)):
        problems = []
        if module not in layers:
            problems.append(f'{module} is not in tools/module_deps.json')
        for path in sorted((ROOT / module).rglob('*.?pp')) if module in layers else []:
            for include in INCLUDE.findall(path.read_text()):
                problem = allowed(path, module, include, layers, of_tests)
                if problem:
                    problems.append(f'{path.relative_to(ROOT)}: {problem}')
        for problem in problems:
            print(f'modules: {problem}')
        passed, failed = (passed, failed + 1) if problems else (passed + 1, failed)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


sys.exit(main())
