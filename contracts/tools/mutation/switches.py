# SPDX-License-Identifier: Apache-2.0
"""Writes many mutants into the sources at once, each behind a switch (mutant schemata). The switch compares a number
with the address of a library, which the compiler leaves open as a link reference: whoever writes an address into the
compiled artifacts chooses the mutant. So one compilation serves them all, and the choice is a constant of the code: it
reads no state, no environment and costs no call, in pure functions and constructors too."""
import os
import re

from mutation.syntax import functions, place

FILE = 'src/Mutant.sol'
LIBRARY = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

library Mutant {}

function mutantIs(uint256 number) pure returns (bool) {
    return uint160(address(Mutant)) == number;
}
"""


class Writer:
    """One file with the switches of its mutants, numbered."""

    def __init__(self, file, source, tree, numbered, definitions):
        self.file, self.source, self.tree, self.definitions = file, source, tree, definitions
        self.hosts = {}
        for number, mutant in numbered:
            if mutant.file == file:
                self.hosts.setdefault(mutant.host, []).append((number, mutant))

    def text(self, start, end):
        return self.source[start:end].decode()

    def changed(self, mutant, start, end):
        return self.text(start, mutant.start) + mutant.new + self.text(mutant.end, end)

    def written(self, start, end, skip=None):
        """The source from `start` to `end` with the switches of all hosts inside."""
        result, at = '', start
        inside = [host for host in self.hosts if start <= host.start and host.end <= end and host != skip]
        # Of hosts within each other the outermost comes first and writes those inside itself.
        for host in sorted(inside, key=lambda one: (one.start, -one.end)):
            if host.start < at:
                continue
            result += self.text(at, host.start) + getattr(self, host.kind)(host, self.hosts[host])
            at = host.end
        return result + self.text(at, end)

    @staticmethod
    def choice(versions, otherwise):
        branches = ''.join(f'if (mutantIs({number})) {{ {version} }} else ' for number, version in versions)
        return f'{branches}{{ {otherwise} }}'

    def statement(self, host, mutants):
        versions = [(number, self.changed(one, host.start, host.end)) for number, one in mutants]
        return f'{{ {self.choice(versions, self.written(host.start, host.end, host))} }}'

    def declaration(self, host, mutants):
        """`T x = value;` becomes `T x;` and a choice of assignments."""
        node = host.node
        value = (place(node['initialValue'])[0], host.end)
        declared = '; '.join(self.text(*place(one)) for one in node['declarations'] if one)
        target = ', '.join(one['name'] if one else '' for one in node['declarations'])
        if self.source[host.start:host.start + 1] == b'(':
            target = f'({target})'
        versions = [(number, f'{target} = {self.changed(one, *value)}') for number, one in mutants]
        return f'{declared}; {self.choice(versions, f"{target} = {self.text(*value)}")}'

    def expression(self, host, mutants, kind=''):
        versions = ''.join(f'mutantIs({number}) ? {kind}({self.changed(one, host.start, host.end)}) : '
                           for number, one in mutants)
        return f'({versions}{kind}({self.text(host.start, host.end)}))'

    def condition(self, host, mutants):
        return self.expression(host, mutants)

    def number(self, host, mutants):
        return self.expression(host, mutants, host.node['declarations'][0]['typeDescriptions']['typeString'])

    def modifier(self, host, mutants):
        (number, _), = mutants
        return f"{host.node['modifierName']['name']}_{number}"

    def modifiers(self, contract):
        """For each modifier that a mutant removes: the same one, which can be switched off."""
        result = ''
        for host, mutants in self.hosts.items():
            begin, end = place(contract)
            if host.kind == 'modifier' and begin <= host.start < end:
                number = mutants[0][0]
                name = host.node['modifierName']['name']
                body = self.definitions[host.node['modifierName']['referencedDeclaration']](self)
                result += f' modifier {name}_{number}() {{ if (mutantIs({number})) {{ _; }} else {body} }}'
        return result

    def file_text(self):
        if not self.hosts:
            return self.text(0, len(self.source))
        result, at = '', 0
        folder = os.path.relpath(FILE, os.path.dirname(self.file))
        marks = []
        for node in self.tree['nodes']:
            if node['nodeType'] == 'PragmaDirective':
                path = folder if folder.startswith('.') else './' + folder
                marks.append((place(node)[1], f' import {{mutantIs}} from "{path}";'))
            if node['nodeType'] == 'ContractDefinition' and self.modifiers(node):
                bases = node['baseContracts']
                head = place(bases[-1])[1] if bases else place(node)[0]
                marks.append((self.source.index(b'{', head) + 1, self.modifiers(node)))
        for where, addition in marks:
            result += self.written(at, where) + addition
            at = where
        result += self.written(at, len(self.source))
        return result


def modifier_definitions(root, trees):
    """{declaration: writer -> text of the body}, of this project and of its packages."""
    found = {}
    for file, tree in trees.items():
        for _, node, _ in functions(tree):
            if node['nodeType'] == 'ModifierDefinition':
                start, end = place(node['body'])

                def body(writer, file=file, start=start, end=end):
                    if writer.file == file:
                        return writer.written(start, end)
                    return (root / file).read_bytes()[start:end].decode()
                found[node['id']] = body
    return found


def write(root, target, trees, numbered):
    """Writes every file that has a mutant of `numbered`, [(number, mutant)], below `target`."""
    definitions = modifier_definitions(root, trees)
    (target / FILE).write_text(LIBRARY)
    for file in sorted({mutant.file for _, mutant in numbered}):
        writer = Writer(file, (root / file).read_bytes(), trees[file], numbered, definitions)
        (target / file).write_text(writer.file_text())


def culprit(target, file, start):
    """Number of the mutant that the compiler refuses at byte `start` of a written file, or None."""
    marks = re.findall(rb'mutantIs\((\d+)\)', (target / file).read_bytes()[:start])
    return int(marks[-1]) if marks else None
