# SPDX-License-Identifier: Apache-2.0
"""What a run found, as one JSON file: figures, how often each function was tried, and each survivor with the reason why
no test kills it. Reasons are written by hand into the file and stay with their mutant from one run to the next."""
import collections
import json
import re

NOTE = ('Made by contracts/tools/mutate.py. A survivor with "equivalent": true changes nothing that anybody can see, '
        'so no test could kill it; it counts as survived all the same. Its "reason" is written by hand.')
WANTED = 0.95


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def reasons(report):
    """{key: (equivalent, reason)} of the survivors that somebody explained."""
    return {key_of(one): (one.get('equivalent', False), one['reason']) for one in report.get('survivors', [])
            if one.get('reason')}


def key_of(one):
    return f"{one['file']}:{one['function']}:{one['operator']}:{one['text']}@{one['column']}:{one['change']}"


def made(head, results, known):
    """The report of `results`, [(mutant, test that killed it or None)]."""
    operators = collections.defaultdict(lambda: [0, 0])
    functions = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))
    survivors = []
    for mutant, killer in results:
        for tally in (operators[mutant.operator], functions[mutant.file][mutant.function]):
            tally[0] += 1
            tally[1] += killer is not None
        if killer is None:
            equivalent, reason = known.get(mutant.key(), (False, ''))
            survivors.append({
                'file': mutant.file, 'function': mutant.function, 'line': mutant.line, 'text': mutant.text,
                'column': mutant.column, 'operator': mutant.operator, 'change': mutant.change(),
                'equivalent': equivalent, 'reason': reason})
    tried, killed = len(results), len(results) - len(survivors)
    equivalent = sum(one['equivalent'] for one in survivors)
    return {
        'note': NOTE,
        **head,
        'tried': tried,
        'killed': killed,
        'score': round(100 * killed / tried, 1),
        'equivalent': equivalent,
        'score without equivalent': round(100 * killed / (tried - equivalent), 1),
        'operators: [tried, killed]': dict(sorted(operators.items())),
        'functions: [tried, killed]': {file: dict(sorted(names.items())) for file, names in sorted(functions.items())},
        'survivors': sorted(survivors, key=lambda one: (one['file'], one['line'], one['column'])),
    }


def written(report):
    """JSON with each pair of numbers on one line."""
    text = json.dumps(report, indent=1, ensure_ascii=False)
    return re.sub(r'\[\s+(\d+),\s+(\d+)\s+\]', r'[\1, \2]', text) + '\n'
