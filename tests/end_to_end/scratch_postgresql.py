# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of one test: in a folder of its own, behind a Unix socket there, as an ordinary user."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

PROGRAMS = pathlib.Path('/usr/lib/postgresql/15/bin')


def is_installed():
    return (PROGRAMS / 'initdb').exists()


class ScratchServer:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='community-pg-'))
        self.user = []
        if os.geteuid() == 0:
            # initdb and the server refuse to run as root.
            entry = pwd.getpwnam('postgres')
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self.user = ['setpriv', f'--reuid={entry.pw_uid}', f'--regid={entry.pw_gid}', '--clear-groups']
        self.run('initdb', '-D', 'data', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
        with open(self.folder / 'data/postgresql.conf', 'a') as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n")
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run('pg_ctl', '-D', 'data', '-m', 'immediate', '-w', 'stop', check=False)
        shutil.rmtree(self.folder)

    def run(self, program, *words, check=True):
        done = subprocess.run([*self.user, str(PROGRAMS / program), *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0 or not check, done.stderr
        return done.returncode

    def start(self):
        # After kill -9 the old server's children hold its memory for a moment.
        for attempt in range(20):
            if self.run('pg_ctl', '-D', 'data', '-l', 'server.log', '-w', 'start', check=attempt == 19) == 0:
                return

    def kill(self):
        os.kill(int((self.folder / 'data/postmaster.pid').read_text().split()[0]), signal.SIGKILL)

    def create(self, database):
        self.sql('postgres', f'CREATE DATABASE {database}')

    def url(self, database):
        return f'postgresql://postgres@/{database}?host={self.folder}'

    def sql(self, database, text):
        return subprocess.run([PROGRAMS / 'psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', self.url(database), '-c', text],
                              capture_output=True, text=True, check=True).stdout.strip()
