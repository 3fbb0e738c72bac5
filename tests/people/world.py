# SPDX-License-Identifier: Apache-2.0
"""What tests about people run in: a node with a chain, browsers that speak its HTTP API, and the contract that every answer is
compared with. COMMUNITY_TEST_DATABASE=postgresql puts the node's tables on a PostgreSQL server of the test's own; the body of
the trusted core is the one that COMMUNITY_NODE_KEYS__BODY names, else the process."""
import contextlib
import email
import email.policy
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

from device import Device, b64, escape_key

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'end_to_end'))
import scratch_postgresql  # noqa: E402

try:
    import jsonschema
except ImportError:
    print('the package python3-jsonschema is missing: run tools/install')
    print('0 passed, 1 failed, 0 skipped')
    sys.exit(1)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / sys.argv[1]).resolve()
NODE = BUILD / 'bin/community-node'
ANVIL = ROOT / 'contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil'
BODY = os.environ.setdefault('COMMUNITY_NODE_KEYS__BODY', 'process')
# The trusted core's program as /proc/PID/comm has it.
CORE = {'process': 'key-enclave', 'optee-qemu': 'qemu-system-aar'}[BODY]
ON_POSTGRESQL = os.environ.get('COMMUNITY_TEST_DATABASE') == 'postgresql'
PATIENCE_S = 180
LONG = bool(os.environ.get('COMMUNITY_TEST_LONG'))
# One machine asks for everybody here.
LIMITS = ('[limits]\nregistrations_per_hour = 1000000\nattempts_per_minute = 1000000\nrequests_per_minute = 1000000\n'
          'person_requests_per_minute = 1000000\n')
PROBLEM = 'urn:community-node:problem:'


class Skipped(Exception):
    """What this machine lacks for a test."""


class Contract:
    """spec/openapi.json: which path an answer belongs to, and whether it is what the path promises."""

    def __init__(self):
        self.document = json.loads((ROOT / 'spec/openapi.json').read_text())
        self.resolver = jsonschema.RefResolver('', self.document)
        self.paths = []
        for path, methods in self.document['paths'].items():
            pattern = re.compile('^' + re.sub(r'\{\w+\}', '[^/]+', path) + '$')
            self.paths.append((pattern, path, methods))
        self.seen = set()

    def check(self, method, target, status, content_type, text):
        path = target.partition('?')[0]
        found = [(name, methods) for pattern, name, methods in self.paths if pattern.match(path)]
        assert found, f'{path} is not in spec/openapi.json'
        name, methods = found[0]
        operation = methods[method.lower()]
        assert str(status) in operation['responses'], f'{method} {name} answered {status}: {text[:300]}'
        promised = operation['responses'][str(status)].get('content')
        self.seen.add((method, name, status))
        if not promised:
            assert not text, f'{method} {name} {status} has content'
            return
        kind = content_type.partition(';')[0]
        assert kind in promised, f'{method} {name} {status} is {kind}'
        schema = promised[kind]['schema']
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver,
                                                    format_checker=jsonschema.FormatChecker())
        errors = [f'{"/".join(map(str, e.absolute_path))}: {e.message}' for e in validator.iter_errors(json.loads(text))]
        assert not errors, f'{method} {name} {status}: {errors}'


    def check_schema(self, name, value):
        validator = jsonschema.Draft202012Validator(self.document['components']['schemas'][name], resolver=self.resolver,
                                                    format_checker=jsonschema.FormatChecker())
        errors = [e.message for e in validator.iter_errors(value)]
        assert not errors, f'{name}: {errors}'


CONTRACT = Contract()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class SqliteTables:
    """The node's own file."""

    def __init__(self, world):
        self.world = world

    def settings(self):
        return ''

    def rows(self, query):
        """What a query answers, as tuples."""
        with contextlib.closing(sqlite3.connect(f'file:{self.world.data / "node.db"}?mode=ro', uri=True)) as database:
            return database.execute(query).fetchall()

    def names(self):
        return [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def close(self):
        pass


class PostgresqlTables:
    """A server of the test's own, which may be killed."""

    def __init__(self):
        self.server = scratch_postgresql.ScratchServer()
        self.server.create('node')

    def settings(self):
        return f'[database]\nurl = "{self.server.url("node")}"\n'

    def rows(self, query):
        text = self.server.sql('node', f'SELECT row_to_json(t) FROM ({query}) t')
        return [tuple(json.loads(line).values()) for line in text.splitlines()]

    def names(self):
        return [name for (name,) in self.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")]

    def restart(self):
        self.server.kill()
        self.server.start()

    def close(self):
        self.server.__exit__()


class World:
    """A chain that goes on, and a node on it that may be killed, its trusted core and its database too."""

    def __init__(self, folder, chain_port=None, host='localhost'):
        """With a chain's port: a further node on that chain. `host`: localhost, or a name below it, which is another domain."""
        self.folder, self.data = folder, folder / 'data'
        self.node = self.chain = None
        self.renewals = 0
        # Mails by their files.
        self.read = {}
        self.tables = PostgresqlTables() if ON_POSTGRESQL else SqliteTables(self)
        self.ports = {name: free_port() for name in ('rpc', 'http', 'chain')}
        self.origin = f'http://{host}:{self.ports["http"]}'
        self.config = folder / 'config.toml'
        party = '' if host == 'localhost' else f'[security]\nrp_id = "{host}"\norigin = "{self.origin}"\n'
        self.config.write_text(self.tables.settings() + party + '[push]\ncontact = "mailto:operator@example.org"\n' + LIMITS)
        self.log = folder / 'node.log'
        if chain_port:
            self.ports['chain'] = chain_port
            return
        self.chain = subprocess.Popen([ANVIL, '--host', '127.0.0.1', '--port', str(self.ports['chain']), '--quiet',
                                       '--block-time', '1', '--mixed-mining', '--enable-tx-gas-limit', '--gas-limit',
                                       '300000000'], stdout=subprocess.DEVNULL)

    def start(self, *flags):
        with open(self.log, 'a') as log:
            offset = log.tell()
            self.node = subprocess.Popen([NODE, 'run', '--dev', '--config', self.config, '--data-dir', self.data, '--rpc',
                                          f'localhost:{self.ports["rpc"]}', '--http', f'localhost:{self.ports["http"]}',
                                          '--chain', f'http://127.0.0.1:{self.ports["chain"]}', '--contracts',
                                          ROOT / 'build/contracts.json', *flags], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        self.until(lambda: 'serving' in self.log.read_text()[offset:], 'the node serves')

    def kill(self):
        self.node.send_signal(signal.SIGKILL)
        self.node.wait(PATIENCE_S)

    def core(self):
        """The trusted core's process; None while there is none."""
        for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
            with contextlib.suppress(OSError):
                name, _, fields = stat.read_text().partition('(')[2].rpartition(')')
                if name == CORE and int(fields.split()[1]) == self.node.pid:
                    return int(stat.parent.name)
        return None

    def health(self, component):
        return self.report(component)['status']

    def report(self, component):
        return Browser(self).send('GET', '/health', check=False)[1]['components'][component]

    def is_well(self):
        """Database and trusted core are there. Each death of a core counts its leases as spent, so that after dozens of them a
        budget is low, which is said as degraded and stops nothing yet."""
        core = self.report('trusted core')
        return self.health('database') == 'ok' and (core['status'] == 'ok' or 'budget' in core.get('words', ''))

    def victims(self):
        """What may be gone at any moment."""
        return ['node', 'core'] + (['database'] if ON_POSTGRESQL else [])

    def kill_one(self, victim, meanwhile=lambda: None):
        """kill -9 of one of them; `meanwhile` once that is noticed; then until all is well again."""
        if victim == 'node':
            self.kill()
            meanwhile()
            self.start()
        elif victim == 'core':
            self.until(self.core, 'there is a trusted core')
            killed = self.core()
            os.kill(killed, signal.SIGKILL)
            self.until(lambda: self.core() not in (None, killed), 'there is another trusted core')
            meanwhile()
        else:
            self.tables.server.kill()
            self.until(lambda: self.health('database') == 'failed', 'the loss is noticed')
            meanwhile()
            self.tables.server.start()
        self.until(self.is_well, 'all is well')
        if 'budget' in self.report('trusted core').get('words', ''):
            self.renew_budgets()

    def renew_budgets(self):
        """What an operator does when one is low: each death took a hundredth, which the trusted core had leased."""
        self.node.send_signal(signal.SIGINT)
        self.node.wait(PATIENCE_S)
        self.start('--renew-budgets')
        self.until(self.is_well, 'all is well')
        assert 'budget' not in self.report('trusted core').get('words', '')
        self.renewals += 1

    def end(self):
        for process in (self.node, self.chain):
            if process and process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in (self.node, self.chain):
            if process:
                process.wait(PATIENCE_S)
        self.tables.close()

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if condition():
                return
            assert self.node.poll() is None, f'the node ended before {what}'
            time.sleep(0.05)
        raise AssertionError(f'{what}: did not happen')

    def rows(self, query):
        """Of the node's database, as tuples."""
        return self.tables.rows(query)

    def count(self, query):
        return self.rows(query)[0][0]

    def mails(self, address):
        """(path, message) of what was sent to an address, the latest last."""
        # What was read is of one folder; a node on another one has other mails.
        there = list((self.data / 'outbox').glob('*.eml'))
        for path in there:
            if path not in self.read:
                assert path.stat().st_mode & 0o777 == 0o600, path
                self.read[path] = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found = [(path, message) for path, message in ((path, self.read[path]) for path in there)
                 if message['To'].addresses[0].addr_spec.lower() == address.lower()]
        return sorted(found, key=lambda one: one[0].stat().st_mtime_ns)

    def codes(self, address):
        """Codes that were sent to an address, the latest last."""
        found = [(re.search(r'\b\d{8}\b', message.get_content()), message) for _, message in self.mails(address)]
        return [(code[0], message) for code, message in found if code]

    def code(self, address, number=1):
        self.until(lambda: len(self.codes(address)) >= number, f'mail number {number} to somebody')
        return self.codes(address)[-1][0]

    def metrics(self):
        return Browser(self).send('GET', '/metrics', check=False)[1]


class Browser:
    """One browser profile: its cookie, its CSRF token, its page's origin."""

    def __init__(self, world, origin=None):
        self.world, self.origin = world, origin or world.origin
        self.cookie = self.csrf = self.device = None
        # The address of the recovery file's key; nothing: of a key that nobody has.
        self.escape_key = None

    def send(self, method, target, body=None, headers=None, check=True):
        """(status, parsed body or text); the answer is checked against the contract."""
        connection = http.client.HTTPConnection('127.0.0.1', self.world.ports['http'], timeout=PATIENCE_S)
        fields = {'Host': f'localhost:{self.world.ports["http"]}'}
        if method != 'GET':
            fields['Origin'] = self.origin
        if body is not None:
            fields['Content-Type'] = 'application/json'
        cookies = {'session': self.cookie, 'device': self.device}
        if any(cookies.values()):
            fields['Cookie'] = '; '.join(f'{name}={value}' for name, value in cookies.items() if value)
        if self.csrf and method != 'GET':
            fields['X-CSRF-Token'] = self.csrf
        fields.update(headers or {})
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, target, data, fields)
            answer = connection.getresponse()
            text = answer.read().decode()
            self.headers = answer.headers
        finally:
            connection.close()
        if check:
            CONTRACT.check(method, target, answer.status, answer.headers.get('Content-Type', ''), text)
        for cookie in answer.headers.get_all('Set-Cookie') or []:
            assert '; HttpOnly; SameSite=Strict' in cookie, cookie
            name, _, value = cookie.partition(';')[0].partition('=')
            assert name in ('session', 'device'), cookie
            setattr(self, {'session': 'cookie', 'device': 'device'}[name], value or None)
        is_json = 'json' in answer.headers.get('Content-Type', '')
        return answer.status, json.loads(text) if is_json and text else text

    def done(self, method, target, body=None, status=200):
        got, answer = self.send(method, target, body)
        assert got == status, f'{method} {target}: {got} {answer}'
        if isinstance(answer, dict) and 'csrfToken' in answer:
            self.csrf = answer['csrfToken']
        return answer

    def refused(self, rule, method, target, body=None, headers=None):
        status, answer = self.send(method, target, body, headers)
        assert isinstance(answer, dict) and answer.get('type') == PROBLEM + rule, f'{method} {target}: {status} {answer}'
        return answer

    # --- flows ---

    def ask(self, address, **more):
        return self.done('POST', '/api/v1/registrations', {'email': address, **more}, 202)['registrationId']

    def prove(self, registration, code):
        return self.done('POST', f'/api/v1/registrations/{registration}/code', {'code': code})['passkey']

    def passkey_body(self, device, options, name='Telephone'):
        return {'credential': device.create(options), 'escapeKey': self.escape_key or escape_key(), 'deviceName': name}

    def register(self, address, device, **more):
        registration = self.ask(address, **more)
        options = self.prove(registration, self.world.code(address))
        return self.done('POST', f'/api/v1/registrations/{registration}/passkey', self.passkey_body(device, options), 201)

    def leave_body(self, device):
        challenge = self.done('POST', '/api/v1/me/deletion', {})
        assert [one['id'] for one in challenge['allowCredentials']] == [b64(device.credential_id)]
        return {'credential': device.get(challenge)}

    def log_in(self, device):
        challenge = self.done('POST', '/api/v1/session/challenge', {})
        return self.done('POST', '/api/v1/session', {'credential': device.get(challenge)})


class Stream:
    """GET /api/v1/events as a browser's EventSource reads it; every event is checked against the contract."""

    def __init__(self, browser, last=None):
        self.socket = socket.create_connection(('127.0.0.1', browser.world.ports['http']), timeout=PATIENCE_S)
        fields = [f'Host: localhost:{browser.world.ports["http"]}', f'Cookie: session={browser.cookie}']
        if last:
            fields.append(f'Last-Event-ID: {last}')
        self.socket.sendall(('GET /api/v1/events HTTP/1.1\r\n' + '\r\n'.join(fields) + '\r\n\r\n').encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        self.status, self.last = self.response.status, last
        if self.status == 200:
            assert self.response.headers['Content-Type'] == 'text/event-stream', self.response.headers
            assert self.response.headers['Cache-Control'] == 'no-store'
            CONTRACT.seen.add(('GET', '/api/v1/events', 200))

    def events(self):
        """(name, data) as they come, until the node ends the stream."""
        name, data = None, None
        for line in iter(self.response.readline, b''):
            field, _, value = line.decode().rstrip('\n').partition(': ')
            if field == 'event':
                name = value
            elif field == 'data':
                data = json.loads(value)
            elif field == 'id':
                self.last = value
            elif not field and name:
                kind = {'TransactionChanged': 'TransactionChanged'}.get(name, 'ActivityEntry')
                if name != 'reread':
                    CONTRACT.check_schema(kind, data)
                yield name, data
                name = data = None

    def close(self):
        self.socket.close()


NAMES = iter(f'person{n}@example.com' for n in range(1_000_000))


def a_person(world, escape_key=None):
    browser, device = Browser(world), Device(world.origin)
    browser.escape_key = escape_key
    made = browser.register(next(NAMES), device)
    return browser, device, made


def main(tests):
    """Runs the tests whose names follow BUILD, or all; the process's exit status."""
    passed = failed = skipped = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix='people-'))
    world = None
    wanted = sys.argv[2:]
    try:
        world = World(folder)
        world.start()
        for test in tests:
            if wanted and test.__name__ not in wanted:
                continue
            begin = time.monotonic()
            try:
                test(world)
                passed += 1
                print(f'ok      {test.__name__}  {time.monotonic() - begin:.1f} s', flush=True)
            except Skipped as missing:
                skipped += 1
                print(f'SKIPPED {test.__name__}: {missing}', flush=True)
            except Exception:
                failed += 1
                print(f'FAILED  {test.__name__}\n{traceback.format_exc()}', flush=True)
    except Exception:
        failed += 1
        print(traceback.format_exc())
    finally:
        if failed and (folder / 'node.log').exists():
            print((folder / 'node.log').read_text()[-4000:])
        if world:
            world.end()
        shutil.rmtree(folder, ignore_errors=True)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0
