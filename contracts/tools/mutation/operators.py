# SPDX-License-Identifier: Apache-2.0
"""Mutation operators: each says which small change of a node is a mutant. A mutant is one changed range of one file,
with its host: the statement, condition, loop variable or modifier around it, of which the switched build keeps both
versions."""
import dataclasses
import re

from mutation.syntax import children, functions, place

RELATIONS = {'<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'], '==': ['!='], '!=': ['==']}
LOGIC = {'&&': ['||'], '||': ['&&']}
ARITHMETIC = {'+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '%': ['/'], '+=': ['-=', '='], '-=': ['+=', '='],
              '*=': ['/='], '/=': ['*=']}
BITS = {'&': ['|'], '|': ['&'], '^': ['&'], '<<': ['>>'], '>>': ['<<'], '|=': ['&=', '='], '&=': ['|=', '=']}
TABLES = [('relation', RELATIONS), ('logic', LOGIC), ('arithmetic', ARITHMETIC), ('bits', BITS)]
ASSEMBLY = {'add': 'sub', 'sub': 'add', 'mul': 'add', 'and': 'or', 'or': 'and', 'shl': 'shr', 'shr': 'shl', 'gt': 'lt',
            'lt': 'gt', 'eq': 'gt'}
# The order of their arguments means nothing.
SYMMETRIC = {'both'}


@dataclasses.dataclass(frozen=True)
class Host:
    """`kind`: 'statement' and 'declaration' are replaced by a choice of statements, 'condition' and 'number' by a
    choice of expressions, 'modifier' by a modifier that is there or not."""
    kind: str
    start: int
    end: int
    node: dict = dataclasses.field(compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str
    function: str
    operator: str
    start: int
    end: int
    old: str
    new: str
    line: int
    column: int
    text: str
    host: Host = dataclasses.field(compare=False, repr=False)

    def key(self):
        """Names the mutant independently of the lines around it; columns count from the line's first letter."""
        return f'{self.file}:{self.function}:{self.operator}:{self.text}@{self.column}:{self.change()}'

    def change(self):
        old, new = (re.sub(r'\s+', ' ', text.strip()) for text in (self.old, self.new))
        return f"{old} → {new or '(nothing)'}"


class Finder:
    """Finds the mutants of one function."""

    def __init__(self, file, source, function, constants):
        self.file, self.source, self.function, self.constants = file, source, function, constants
        self.found = []

    def text(self, start, end):
        return self.source[start:end].decode()

    def add(self, operator, start, end, new, host):
        if host is None or self.text(start, end) == new:
            return
        line = self.source.count(b'\n', 0, start) + 1
        whole = self.source.splitlines()[line - 1]
        begin = start - (self.source.rfind(b'\n', 0, start) + 1) - (len(whole) - len(whole.lstrip())) + 1
        self.found.append(Mutant(self.file, self.function, operator, start, end, self.text(start, end), new, line,
                                 begin, whole.decode().strip(), host))

    def end(self, statement):
        """Where a statement ends: the tree leaves the semicolon out."""
        last = statement.get('falseBody') or statement.get('trueBody') or statement.get('body')
        if last:
            return self.end(last)
        end = place(statement)[1]
        if self.source[end - 1:end] == b';' or statement['nodeType'] in ('Block', 'UncheckedBlock', 'InlineAssembly'):
            return end
        return self.source.index(b';', end) + 1

    def sign(self, node, left, right, host):
        """The operator between two nodes."""
        begin, end = place(left)[1], place(right)[0]
        between = self.text(begin, end)
        start = begin + len(between[:between.index(node['operator'])].encode())
        for operator, table in TABLES:
            for new in table.get(node['operator'], []):
                self.add(operator, start, start + len(node['operator']), new, host)

    def visit(self, node, host):
        kind = node['nodeType']
        start, end = place(node)
        if kind in ('ExpressionStatement', 'EmitStatement', 'Return', 'RevertStatement', 'Continue', 'Break',
                    'InlineAssembly'):
            host = Host('statement', start, self.end(node), node)
        elif kind == 'VariableDeclarationStatement':
            host = Host('declaration', start, self.end(node), node)
        elif kind == 'IfStatement':
            self.visit_if(node)
            return
        elif kind in ('ForStatement', 'WhileStatement'):
            self.visit_loop(node)
            return
        method = getattr(self, 'on_' + kind, None)
        if method:
            method(node, start, end, host)
        for child in children(node):
            child['parent'] = node
            self.visit(child, host)

    def visit_if(self, node):
        start = place(node)[0]
        condition = Host('condition', *place(node['condition']), node['condition'])
        body = node['trueBody']
        if body['nodeType'] == 'Block' and len(body['statements']) == 1:
            body = body['statements'][0]
        if body['nodeType'] == 'RevertStatement' and not node.get('falseBody'):
            end = self.end(node)
            self.add('refusal removed', start, end, '', Host('statement', start, end, node))
        elif node['condition'].get('operator') not in (*RELATIONS, '!'):
            self.add('condition negated', condition.start, condition.end,
                     f'!({self.text(condition.start, condition.end)})', condition)
        self.visit(node['condition'], condition)
        self.visit(node['trueBody'], None)
        if node.get('falseBody'):
            self.visit(node['falseBody'], None)

    def visit_loop(self, node):
        if node.get('initializationExpression'):
            value = node['initializationExpression'].get('initialValue')
            if value:
                self.visit(value, Host('number', *place(value), node['initializationExpression']))
        if node.get('condition'):
            self.visit(node['condition'], Host('condition', *place(node['condition']), node['condition']))
        self.visit(node['body'], None)

    # ---- statements that go away

    def on_EmitStatement(self, node, start, end, host):
        self.add('event removed', host.start, host.end, '', host)

    def on_Return(self, node, start, end, host):
        self.add('return removed', host.start, host.end, '', host)

    def on_Continue(self, node, start, end, host):
        self.add('continue removed', host.start, host.end, '', host)

    def on_ExpressionStatement(self, node, start, end, host):
        kind = node['expression']['nodeType']
        if kind == 'Assignment' and self.is_reference(node['expression']['leftHandSide']):
            return
        operator = {'Assignment': 'assignment removed', 'FunctionCall': 'call removed',
                    'UnaryOperation': 'assignment removed'}.get(kind)
        if operator:
            self.add(operator, host.start, host.end, '', host)

    @staticmethod
    def is_reference(target):
        """Whether a pointer into storage or call data is assigned to, which the compiler does not let stay open."""
        kind = target['typeDescriptions']['typeString']
        return 'storage pointer' in kind or ' calldata' in kind

    # ---- expressions

    def on_BinaryOperation(self, node, start, end, host):
        self.sign(node, node['leftExpression'], node['rightExpression'], host)

    def on_Assignment(self, node, start, end, host):
        if node['operator'] != '=':
            self.sign(node, node['leftHandSide'], node['rightHandSide'], host)

    def on_UnaryOperation(self, node, start, end, host):
        sign = node['operator']
        if sign in ('!', '~'):
            self.add('negation removed', start, start + 1, '', host)
        elif sign in ('++', '--'):
            at = start if node['prefix'] else end - 2
            self.add('arithmetic', at, at + 2, '--' if sign == '++' else '++', host)

    def on_Conditional(self, node, start, end, host):
        yes, no = place(node['trueExpression']), place(node['falseExpression'])
        new = self.text(*no) + self.text(yes[1], no[0]) + self.text(*yes)
        self.add('branches swapped', yes[0], no[1], new, host)

    def on_Literal(self, node, start, end, host):
        old = self.text(start, end)
        if node['kind'] == 'bool':
            self.add('literal', start, end, 'false' if old == 'true' else 'true', host)
        elif node['kind'] == 'number':
            number = re.match(r'0x[0-9a-fA-F]+|[\d_]+', old).group(0)
            at = start + len(number)
            if number.startswith('0x') and len(number) > 3:
                self.add('literal', start, at, f'0x{int(number, 16) ^ 1:0{len(number) - 2}x}', host)
                return
            value = int(number.replace('_', ''), 0)
            # Of the numbers only zero converts to bytes.
            parent = node.get('parent', {})
            around = parent.get('commonType', parent.get('typeDescriptions', {})).get('typeString') or ''
            kind = re.fullmatch(r'bytes(\d+)', around)
            if kind and value == 0:
                self.add('literal', start, at, f'{around}(uint{8 * int(kind.group(1))}(1))', host)
                return
            for new in (value + 1, value - 1):
                if new >= 0:
                    self.add('literal', start, at, str(new), host)
        elif node['kind'] == 'string' and node.get('value'):
            self.add('literal', end - 2, end - 1, 'X', host)

    def on_Identifier(self, node, start, end, host):
        self.constant(node, start, end, host)

    def on_MemberAccess(self, node, start, end, host):
        self.constant(node, start, end, host)
        if node['memberName'] in ('max', 'min') and node['expression'].get('nodeType') == 'FunctionCall' \
                and node['expression']['expression'].get('name') == 'type':
            self.add('constant', start, end, f'({self.text(start, end)} - 1)', host)

    def constant(self, node, start, end, host):
        """A use of a constant: the value beside it."""
        kind = self.constants.get(node.get('referencedDeclaration'))
        old = self.text(start, end)
        if kind and kind.startswith('uint'):
            self.add('constant', start, end, f'({old} + 1)', host)
            self.add('constant', start, end, f'({old} - 1)', host)
        elif kind and kind.startswith('bytes') and kind != 'bytes':
            bits = 8 * int(kind[5:])
            self.add('constant', start, end, f'({old} ^ {kind}(uint{bits}(1)))', host)
        elif kind == 'address':
            self.add('constant', start, end, f'address(uint160({old}) + 1)', host)

    def on_FunctionCall(self, node, start, end, host):
        """Two neighbours change places when both have the same type; in an encoding any two can."""
        called = node['expression']
        if node.get('kind') == 'typeConversion' or node.get('names') or called.get('name') in SYMMETRIC:
            return
        encoding = called['nodeType'] == 'MemberAccess' and called['memberName'] in ('encode', 'encodePacked')
        types = [one['typeDescriptions']['typeString'] or '' for one in node['arguments']]
        named = [re.sub(r'^(literal_string|int_const|rational_const).*', r'\1', one) for one in types]
        for index, (left, right) in enumerate(zip(node['arguments'], node['arguments'][1:])):
            if not encoding and named[index] != named[index + 1]:
                continue
            a, b = place(left), place(right)
            self.add('arguments swapped', a[0], b[1], self.text(*b) + self.text(a[1], b[0]) + self.text(*a), host)

    # ---- inline assembly

    def on_YulFunctionCall(self, node, start, end, host):
        name = node['functionName']['name']
        at = place(node['functionName'])
        if name in ASSEMBLY:
            self.add('assembly operator', *at, ASSEMBLY[name], host)
        elif name == 'iszero':
            self.add('assembly operator', start, end, self.text(*place(node['arguments'][0])), host)

    def on_YulLiteral(self, node, start, end, host):
        old = self.text(start, end)
        if node['kind'] == 'number':
            for new in (int(old, 0) + 1, int(old, 0) - 1):
                if new >= 0:
                    self.add('assembly number', start, end, str(new), host)

    def on_YulIdentifier(self, node, start, end, host):
        if self.assembly_constants.get(node['src'], '').startswith(('uint', 'bytes32')):
            self.add('assembly number', start, end, f'add({self.text(start, end)}, 1)', host)

    def on_YulExpressionStatement(self, node, start, end, host):
        self.add('assembly statement removed', start, end, '', host)

    def on_YulAssignment(self, node, start, end, host):
        # The place of a reference, as above.
        if '.' in node['variableNames'][0]['name']:
            return
        self.add('assembly statement removed', start, end, '', host)

    def on_InlineAssembly(self, node, start, end, host):
        self.assembly_constants = {one['src']: self.constants[one['declaration']]
                                   for one in node['externalReferences'] if one['declaration'] in self.constants}


def constants_of(trees):
    """{declaration: type} of each constant of an elementary type."""
    found = {}

    def look(node):
        if node['nodeType'] == 'VariableDeclaration' and node.get('constant'):
            found[node['id']] = node['typeDescriptions']['typeString']
        for child in children(node):
            look(child)
    for tree in trees.values():
        look(tree)
    return found


def mutants_of(root, trees, files):
    """([mutants], [names of functions with a body that has a statement], by file) of `files`."""
    constants = constants_of(trees)
    everything, names = [], []
    for file in files:
        source = (root / file).read_bytes()
        for name, node, _ in functions(trees[file]):
            finder = Finder(file, source, name, constants)
            for modifier in node.get('modifiers', []):
                if modifier.get('kind') == 'modifierInvocation' and not modifier.get('arguments'):
                    start, end = place(modifier)
                    finder.add('modifier removed', start, end, '', Host('modifier', start, end, modifier))
            finder.visit(node['body'], None)
            # Nothing can change in an empty body.
            if node['body']['statements']:
                names.append((file, name))
            everything += finder.found
    return everything, names
