# SPDX-License-Identifier: Apache-2.0
"""The compiler's syntax tree of the contracts: which functions there are, and where each node stands in its file."""
import json
import pathlib
import re
import subprocess


class CompilerErrors(Exception):
    """What the compiler refuses: (file, byte offset, message) each."""

    def __init__(self, errors):
        super().__init__('\n'.join(f'{file}:{start}: {message}' for file, start, message in errors))
        self.errors = errors


def remappings(root):
    """(prefix, folder) of each import remapping in foundry.toml."""
    settings = (root / 'foundry.toml').read_text()
    return [tuple(line.split('=')) for line in re.findall(r"^ +'(\S+=\S+)',$", settings, re.M)]


def sources_of(root, paths):
    """Every source that `paths` import, themselves included: {name from the root: text}."""
    found, waiting, rules = {}, [str(path) for path in paths], remappings(root)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = (root / name).read_text()
        for target in re.findall(r'\bimport\s+(?:[^;"\']*?\bfrom\s+)?["\']([^"\']+)["\']', found[name]):
            if target.startswith('.'):
                parts = []
                for part in (pathlib.PurePosixPath(name).parent / target).parts:
                    parts[-1:] = [] if part == '..' else [*parts[-1:], part]
                waiting.append('/'.join(parts))
            else:
                prefix, folder = next(rule for rule in rules if target.startswith(rule[0]))
                waiting.append(folder + target[len(prefix):])
    return found


def analyse(root, paths):
    """Syntax trees of `paths` and of all that they import, by name. Types are resolved, code is not generated, so this
    takes seconds. Raises `CompilerErrors`."""
    sources = sources_of(root, paths)
    question = {
        'language': 'Solidity',
        'sources': {name: {'content': text} for name, text in sources.items()},
        'settings': {'evmVersion': 'osaka', 'viaIR': True, 'outputSelection': {'*': {'': ['ast']}},
                     'remappings': ['='.join(rule) for rule in remappings(root)]},
    }
    done = subprocess.run([str(root / 'tools/solc-wrapper.cjs'), '--standard-json'], input=json.dumps(question),
                          stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    errors = [error for error in answer.get('errors', []) if error['severity'] == 'error']
    if errors:
        where = [error.get('sourceLocation', {'file': '', 'start': -1}) for error in errors]
        raise CompilerErrors([(at['file'], at['start'], error['message']) for at, error in zip(where, errors)])
    return {name: answer['sources'][name]['ast'] for name in sources}


def place(node):
    """(start, end) of a node in its file, in bytes."""
    start, length, _ = node['src'].split(':')
    return int(start), int(start) + int(length)


def children(node):
    """Nodes right below `node`, in the order of the source."""
    below = []
    for key, value in node.items():
        # The inside of inline assembly is a tree of its own, whose root has this name.
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and 'nodeType' in one and key not in ('typeName', 'overrides', 'parent'):
                below.append(one)
    return sorted(below, key=place)


def functions(tree):
    """(name, node, contract or None) of each function, constructor and modifier with a body."""
    for top in tree['nodes']:
        holder = top if top['nodeType'] == 'ContractDefinition' else None
        for node in (holder or {'nodes': [top]})['nodes']:
            if node['nodeType'] in ('FunctionDefinition', 'ModifierDefinition') and node.get('body'):
                name = node['name'] or node.get('kind')
                yield (f"{holder['name']}.{name}" if holder else name), node, holder
