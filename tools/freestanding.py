# SPDX-License-Identifier: Apache-2.0
"""How the trusted core is compiled for a trusted application: one place for its sources, flags and libraries, used by
the check that it needs no run time (check_freestanding.py) and by the image's build (tools/optee)."""
import re
import shutil

CROSS = 'aarch64-linux-gnu-'
# What every object of a trusted application needs: position independence, no vector registers (the first use of one in a
# call traps and has both worlds' saved, and what was in them would outlive the wiping of the stack), no instructions that
# trap on unaligned memory, no calls into libgcc for atomics.
MACHINE = """-fPIC -mgeneral-regs-only -mstrict-align -mno-outline-atomics -ffunction-sections -fdata-sections
    -fstack-protector-strong""".split()
# Without -fno-gnu-unique the linker marks the file with an ABI that the loader of trusted applications refuses.
CXX = """-std=c++20 -O2 -Wall -Wextra -fno-exceptions -fno-rtti -fno-gnu-unique -fno-threadsafe-statics
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fvisibility=hidden -fstack-usage""".split() + MACHINE
C = '-std=gnu11 -O2 -w -fno-asynchronous-unwind-tables -fno-unwind-tables -fvisibility=hidden'.split() + MACHINE

# BearSSL from Debian's source: AES-256-GCM without tables (constant time).
BEARSSL = """aead/gcm hash/ghash_ctmul64 symcipher/aes_ct64 symcipher/aes_ct64_enc symcipher/aes_ct64_ctr
    symcipher/aes_ct64_ctrcbc codec/dec32le codec/enc32le codec/dec32be codec/enc32be codec/dec64be codec/enc64be codec/ccopy""".split()
# libsecp256k1 as its three translation units. Verification by tables of 2^7 points: 16 KiB where the default has 1 MiB.
SECP256K1 = 'secp256k1 precomputed_ecmult precomputed_ecmult_gen'.split()
SECP256K1_FLAGS = '-DENABLE_MODULE_RECOVERY=1 -DUSE_EXTERNAL_DEFAULT_CALLBACKS=1 -DECMULT_WINDOW_SIZE=8'.split()


def core_sources(root):
    """The source files of the core as trusted/CMakeLists.txt lists them."""
    text = (root / 'trusted' / 'CMakeLists.txt').read_text()
    core = re.search(r'set\(TRUSTED_CORE_SOURCES(.*?)\)', text, re.S).group(1).split()
    webauthn = re.search(r'cn_library\(trusted_webauthn(.*?)DEPS', text, re.S).group(1).split()
    return [root / 'trusted' / name for name in core + webauthn]


def listed_sources(root, module, group, folder):
    """A group of a module's sources.txt, below a folder."""
    lines = (root / 'trusted' / module / 'sources.txt').read_text().splitlines()
    return [folder / line.split()[1] for line in lines if line.startswith(group + ' ')]


def p256_sources(root, group, folder):
    return listed_sources(root, 'p256', group, folder)


def crates(root):
    """Source code that came in crates (tools/install)."""
    return root / 'build/crates'


def p256_flags(root):
    return ['-DS2N_BN_HIDE_SYMBOLS', f'-I{root}/trusted/p256/include', '-isystem',
            f'{crates(root)}/s2n-bignum/include']


def port_sources(root):
    """The port over the GlobalPlatform API, which needs the kit's headers."""
    return sorted((root / 'ta' / 'port').glob('*.cpp'))


def inputs(root):
    """Files and folders whose contents decide what is compiled."""
    folders = 'base core ed25519 ethereum hpke p256 port protocol webauthn'.split()
    return [root / 'trusted' / name for name in folders] + [root / 'trusted/CMakeLists.txt', root / 'ta/port',
                                                            root / 'ta/ta_commands.h']


def launcher():
    """ccache where there is one."""
    found = shutil.which('ccache')
    return [found] if found else []


def compile_cxx(root, source, target, *flags):
    return launcher() + [CROSS + 'g++', *CXX, f'-I{root}', f'-ffile-prefix-map={root}=.', *flags, '-MMD', '-MF',
                         str(target.with_suffix('.d')), '-c', str(source), '-o', str(target)]


def object_of(root, source, folder):
    return folder / (str(source.relative_to(root)).replace('/', '_') + '.o')


def core_commands(root, folder):
    """(object, command) for the core, and P-256 and Ed25519 over s2n-bignum's assembly."""
    commands = []
    sources = core_sources(root)
    for module in ['p256', 'ed25519']:
        sources += listed_sources(root, module, 's2n', root / 'trusted' / module)
        sources += listed_sources(root, module, 's2n-arm64', crates(root) / 's2n-bignum')
    for source in sources:
        target = object_of(root, source, folder)
        commands.append((source, target, compile_cxx(root, source, target, *p256_flags(root))))
    return commands


def ta_commands(root, folder, kit, secp256k1, bearssl, machine):
    """(object, command) for everything in the library that the trusted application links. `machine` is what it says that
    it runs on: 'emulated' or 'board'."""
    commands = [(target, command) for _, target, command in core_commands(root, folder)]
    # The compiler's own headers come first: the kit brings a C library's of its own.
    headers = ['-idirafter', f'{kit}/include', f'-I{secp256k1}/include', f'-I{bearssl}/inc']
    for source in port_sources(root):
        target = object_of(root, source, folder)
        named = ['-DCOMMUNITY_TA_ON_A_BOARD'] if machine == 'board' and source.name == 'body.cpp' else []
        commands.append((target, compile_cxx(root, source, target, *headers, *named)))
    for name in SECP256K1:
        target = folder / f'secp256k1_{name}.o'
        commands.append((target, launcher() + [CROSS + 'gcc', *C, *SECP256K1_FLAGS, f'-I{secp256k1}', f'-I{secp256k1}/src',
                                               f'-I{secp256k1}/include', f'-ffile-prefix-map={secp256k1}=secp256k1', '-c',
                                               f'{secp256k1}/src/{name}.c', '-o', str(target)]))
    for name in BEARSSL:
        target = folder / f'bearssl_{name.replace("/", "_")}.o'
        commands.append((target, launcher() + [CROSS + 'gcc', *C, f'-I{bearssl}/inc', f'-I{bearssl}/src',
                                               f'-ffile-prefix-map={bearssl}=bearssl', '-c', f'{bearssl}/src/{name}.c',
                                               '-o', str(target)]))
    return commands
