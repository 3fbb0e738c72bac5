#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that contract, trusted core, host and documents speak of the same account: events, plain functions, token
functions, signed structs and figures are written in more than one language. One rule is one check. Ends with a line
'N passed, N failed, N skipped'."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACT = sorted([ROOT / 'contracts/src/CommunityAccount.sol', *(ROOT / 'contracts/src/account').glob('*.sol')])
STAMP = 'uint32 keyEpoch,uint256 nonce,uint48 deadline'
UNITS = {'seconds': 1, 'minutes': 60, 'hours': 3_600, 'days': 86_400}


def read(name):
    return (ROOT / name).read_text()


def joined_strings(text):
    """Adjacent string literals of C++ or Solidity are one."""
    return re.sub(r'"\s*\n?\s*"', '', text)


def solidity():
    return '\n'.join(path.read_text() for path in CONTRACT)


def events_agree():
    pattern = re.compile(r'\bevent (\w+)\(([^)]*)\);', re.S)
    ours = {f"{name}({','.join(' '.join(one.split()) for one in fields.split(',') if one.strip())})"
            for name, fields in pattern.findall(solidity().replace('ItemKind indexed', 'uint8 indexed'))}
    host = set(re.findall(r'\{"(\w+\([^"]*\))", Loudness', joined_strings(read('community/accounts/events.cpp'))))
    # Events whose indexed fields come later cannot be written as the host's table does: none does so.
    return ours, host


def plain_functions_agree():
    ours = set()
    for name, parameters, rest in re.findall(r'\bfunction (\w+)\(([^)]*)\)([^{;]*)', solidity(), re.S):
        if 'external' in rest and ' view' not in rest and 'Stamp calldata' in ' '.join(parameters.split()):
            ours.add(name)
    table = read('trusted/ethereum/selectors.hpp')
    table = joined_strings(table[table.index('kPlainFunctions'):table.index('};', table.index('kPlainFunctions'))])
    return ours, set(re.findall(r'"(\w+)\(', table))


def token_functions_agree():
    code = read('contracts/src/lib/CallClasses.sol')
    body = code[code.index('function _shape'):]
    body = re.sub(r'//[^\n]*', '', body[:body.index('\n    }')])
    ours = set(re.findall(r'0x[0-9a-f]{8}\b', body)) | set(re.findall(r'PERMIT_DAI = (0x[0-9a-f]{8})', code))
    table = read('trusted/ethereum/selectors.hpp')
    table = table[table.index('kTokenFunctions'):]
    table = table[:table.index('};')]
    core = {'0x' + ''.join(part[2:] for part in re.findall(r'0x[0-9a-f]{2}', row))
            for row in re.findall(r'\{\{([^}]*)\}', table)}
    return ours, core


def structs_agree():
    """The spec writes `stamp` for the last three fields."""
    hashes = joined_strings(read('contracts/src/lib/ActionHashes.sol'))
    ours = {text.split(')')[0] + ')' for text in re.findall(r'keccak256\(\s*"([A-Z]\w+\([^"]*)"', hashes) if STAMP in text}
    written = re.findall(r'`(\w+\([^`]*)` ?stamp ?`\)`', read('spec/account.md'))
    return ours, {text + STAMP + ')' for text in written}


def errors_agree():
    """Errors that the host names to people; what it knows beyond are those of libraries and EntryPoints."""
    ours = set()
    for path in (ROOT / 'contracts/src').rglob('*.sol'):
        code = re.sub(r'//[^\n]*', '', path.read_text())
        for name, fields in re.findall(r'\berror (\w+)\(([^)]*)\);', code, re.S):
            types = [field.split()[0] for field in fields.split(',') if field.strip()]
            types = ['uint8' if re.match(r'[A-Z]', one) else one for one in types]
            ours.add(f"{name}({','.join(types)})")
    table = read('community/accounts/reverts.cpp')
    table = table[table.index('kErrors[]'):]
    host = set(re.findall(r'"(\w+\([^"]*\))"', table[:table.index('};')]))
    return ours, host & ours if ours <= host else host


def constants():
    found = {}
    for path in (ROOT / 'contracts/src').rglob('*.sol'):
        for name, value in re.findall(r'\b(?:uint\d+|int\d+)\s+(?:internal|private|public)\s+constant\s+(\w+)\s*=\s*'
                                      r'([\w ]+);', path.read_text()):
            number, _, unit = value.strip().partition(' ')
            if number.replace('_', '').isdigit() and (not unit or unit in UNITS):
                found[name] = int(number.replace('_', '')) * UNITS.get(unit, 1)
    return found


def figures_agree():
    """The table of docs/account.md: | figure | value | constant |."""
    rows = re.findall(r'^\| [^|]+ \| (\d+) ?(seconds|minutes|hours|days)? \| `(\w+)` \|$', read('docs/account.md'),
                      re.M)
    known = constants()
    written = {name: int(value) * UNITS.get(unit, 1) for value, unit, name in rows}
    return {(name, known.get(name)) for name in written}, set(written.items())


def main():
    checks = [('events', events_agree), ('plain functions', plain_functions_agree),
              ('token functions', token_functions_agree), ('signed structs', structs_agree),
              ('figures', figures_agree), ('errors', errors_agree)]
    failed = 0
    for name, check in checks:
        ours, others = check()
        if ours == others and ours:
            continue
        failed += 1
        print(f'account: {name} differ')
        for one in sorted(map(str, ours - others)):
            print(f'  only in the contract: {one}')
        for one in sorted(map(str, others - ours)):
            print(f'  only elsewhere: {one}')
        if not ours:
            print('  nothing was found to compare')
    print(f'{len(checks) - failed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
