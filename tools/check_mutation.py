#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that contracts/mutation.json still speaks of the contracts as they are: enough mutants, enough of them killed,
a reason for each survivor, survivors that stand where the file says, and functions that were tried. A change of a body
makes nothing fail here; new and renamed functions do when they are more than one in twenty, and then the run is made
anew (contracts/README.md). Ends with 'N passed, N failed, N skipped'."""
import json
import pathlib
import re
import sys

CONTRACTS = pathlib.Path(__file__).resolve().parent.parent / 'contracts'
MIN_MUTANTS = 300
MIN_SCORE = 95.0
MAX_UNTRIED = 1 / 20
MIN_REASON = 40


def blank(source):
    """The source with comments and strings blanked out, every offset as it was."""
    cover = lambda match: re.sub(r'[^\n]', ' ', match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', cover, source, flags=re.S)


def functions(source):
    """Names of the functions whose body is not empty, with their contract before a dot."""
    code = blank(source)
    holders = [(match.start(), match.group(1)) for match in
               re.finditer(r'^(?:abstract )?(?:contract|library|interface) (\w+)', code, re.M)]
    for match in re.finditer(r'\b(?:(?:function|modifier)\s+(\w+)|(constructor|receive|fallback)\s*\()', code):
        rest = code[match.end():]
        opening = re.search(r'[;{]', rest)
        if opening is None or opening.group(0) == ';' or re.match(r'\{\s*\}', rest[opening.start():]):
            continue
        # At the left margin stands what belongs to no contract.
        free = code[match.start() - 1] == '\n'
        holder = [name for start, name in holders if start < match.start()]
        name = match.group(1) or match.group(2)
        yield name if free or not holder else f'{holder[-1]}.{name}'


def sources():
    return {path.relative_to(CONTRACTS).as_posix(): path.read_text() for path in (CONTRACTS / 'src').rglob('*.sol')}


def enough(report, _):
    if report['tried'] < MIN_MUTANTS:
        yield f"{report['tried']} mutants were tried, {MIN_MUTANTS} are wanted"
    if report['score'] < MIN_SCORE:
        yield f"{report['score']} % of the mutants were killed, {MIN_SCORE} are wanted"


def adds_up(report, _):
    pairs = [pair for names in report['functions: [tried, killed]'].values() for pair in names.values()]
    for what, tallies in (('functions', pairs), ('operators', report['operators: [tried, killed]'].values())):
        tried, killed = (sum(pair[index] for pair in tallies) for index in (0, 1))
        if (tried, killed) != (report['tried'], report['killed']):
            yield f'the {what} sum up to {killed} of {tried}, the report says {report["killed"]} of {report["tried"]}'
    if report['tried'] - report['killed'] != len(report['survivors']):
        yield f"{len(report['survivors'])} survivors are listed"
    if abs(report['score'] - 100 * report['killed'] / report['tried']) > 0.051:
        yield f"the score {report['score']} does not follow from the numbers"


def reasons(report, _):
    for one in report['survivors']:
        if len(one['reason']) < MIN_REASON:
            yield f"{one['file']}:{one['line']}: {one['change']} survived without a reason"


def survivors_stand(report, texts):
    """Found by function and text: lines may have moved."""
    for one in report['survivors']:
        text = texts.get(one['file'], '')
        if one['function'] not in functions(text) or one['text'] not in text:
            yield f"{one['file']}: {one['function']} has no line `{one['text']}` any more, so its survivor says nothing"


def functions_tried(report, texts):
    tried = {(file, name) for file, names in report['functions: [tried, killed]'].items() for name in names}
    there = {(file, name) for file, text in texts.items() for name in functions(text)}
    missing = sorted(there - tried)
    if len(missing) > MAX_UNTRIED * len(there):
        names = ', '.join(name for _, name in missing[:10])
        yield f'{len(missing)} of {len(there)} functions were never tried: {names}'


RULES = [enough, adds_up, reasons, survivors_stand, functions_tried]


def spoiled(report, texts):
    """(rule, report, sources) with one defect that this rule must see."""
    copy = lambda: json.loads(json.dumps(report))
    few, wrong, bare, moved = copy(), copy(), copy(), dict(texts)
    few['tried'] = MIN_MUTANTS - 1
    wrong['killed'] -= 1
    bare['survivors'].append({**(bare['survivors'] or [{'file': '', 'line': 0, 'change': ''}])[0], 'reason': ''})
    file, name = next((file, name) for file, names in report['functions: [tried, killed]'].items() for name in names)
    gone = copy()
    gone['survivors'].append({'file': file, 'function': name, 'text': 'a line that is nowhere', 'reason': ''})
    moved[file] += '\n'.join(f'function added{index}() {{ return; }}' for index in range(100))
    return [(enough, few, texts), (adds_up, wrong, texts), (reasons, bare, texts), (survivors_stand, gone, texts),
            (functions_tried, report, moved)]


def main():
    report, texts = json.loads((CONTRACTS / 'mutation.json').read_text()), sources()
    passed = failed = 0
    for rule in RULES:
        problems = list(rule(report, texts))
        passed, failed = (passed, failed + 1) if problems else (passed + 1, failed)
        for problem in problems:
            print(f'mutation: {rule.__name__}: {problem}')
    for rule, bad_report, bad_texts in spoiled(report, texts):
        if list(rule(bad_report, bad_texts)):
            passed += 1
        else:
            failed += 1
            print(f'mutation: {rule.__name__} does not see a defect made for it')
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
