// SPDX-License-Identifier: Apache-2.0
// Writes tests/vectors/*.jsonl: lines for `community-node tool` with the answers of other implementations.
//   node generate.mjs OUT_DIR [--full] [--wycheproof DIR] [--webauthn FILE] [--webauthn-level3 FILE]
// Needs the npm packages @ethersproject/testcases, ethers, latlon-geohash and viem beside the working directory. Without --full it
// keeps an evenly spread sample of each suite, small enough for the repository.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { createRequire } from 'node:module';

const require = createRequire(path.join(process.cwd(), 'x.js'));
const args = process.argv.slice(2);
const outDir = args[0];
const full = args.includes('--full');
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const { ethers } = require('ethers');

const casesDir = path.join(path.dirname(require.resolve('@ethersproject/testcases/package.json')), 'testcases');
const cases = (name) => JSON.parse(zlib.gunzipSync(fs.readFileSync(path.join(casesDir, `${name}.json.gz`))));

function sample(list, size) {
  if (full || list.length <= size) return list;
  return Array.from({ length: size }, (_, i) => list[Math.floor((i * list.length) / size)]);
}
function write(name, list, size, maxLine = 6000) {
  const lines = list.map((v) => JSON.stringify(v)).filter((l) => full || l.length <= maxLine);
  fs.writeFileSync(path.join(outDir, `${name}.jsonl`), sample(lines, size).join('\n') + '\n');
}
const bare = (v) => (v === undefined ? undefined : v);
const drop = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => bare(v) !== undefined));

function hashes() {
  return cases('hashes').map((c) => ({
    op: 'hash', in: { data: c.data }, out: { keccak256: c.keccak256, sha256: c.sha256, sha512: c.sha512 },
  }));
}

function accounts() {
  const out = [];
  for (const c of cases('accounts')) {
    if (c.privateKey) out.push({ op: 'eth.address', in: { privateKey: c.privateKey }, out: { address: c.checksumAddress } });
    for (let nonce = 0; nonce < 3; nonce++) {
      const n = [0, 127, 0xffff + nonce][nonce];
      out.push({ op: 'eth.create', in: { sender: c.checksumAddress, nonce: n },
        out: { address: ethers.getCreateAddress({ from: c.address, nonce: n }) } });
    }
    const salt = ethers.id(c.name), initCodeHash = ethers.id(`code ${c.name}`);
    out.push({ op: 'eth.create2', in: { sender: c.checksumAddress, salt, initCodeHash },
      out: { address: ethers.getCreate2Address(c.address, salt, initCodeHash) } });
    const twisted = c.checksumAddress.replace(/[a-fA-F](?=[^x]*$)/, (x) => x === x.toLowerCase() ? x.toUpperCase() : x.toLowerCase());
    const mixed = /[a-f]/.test(twisted.slice(2)) && /[A-F]/.test(twisted.slice(2));
    if (twisted !== c.checksumAddress && mixed) out.push({ op: 'eth.create', in: { sender: twisted, nonce: 0 }, error: true });
  }
  return out;
}

function rlp() {
  const out = [];
  for (const c of cases('rlp-coder')) {
    out.push({ op: 'rlp.encode', in: { value: c.decoded }, out: { encoded: c.encoded } });
    out.push({ op: 'rlp.decode', in: { encoded: c.encoded }, out: { value: c.decoded } });
  }
  // Shapes of the invalid RLP tests of the Ethereum test suite.
  for (const bad of ['', 'b800', 'b90000', 'ba0002ffff', 'b83700', '8100', '817f', '8101', 'bfffffffffffffffff', 'bbffffffff',
    'ffffffffffffffffff', 'f800', 'f80102', 'f90000', 'f803000000', 'c1', 'c281', 'b8020004', '83646f', '0000', '8080', 'c0c0',
    'f90001ff', 'f9002180000000000000000000000000000000000000000000000000000000000000000000', 'b9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0',
    'efdebd', 'efb83600', 'c3ff8000', 'f861f83eb9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0',
    'b8', 'f8', 'bf0f000000000000021111', 'ff0f000000000000021111', 'a0000102', 'f86103d001808255f0'])
    out.push({ op: 'rlp.decode', in: { encoded: `0x${bad}` }, error: true });
  let deep = '0x';
  let nested = deep;
  for (let i = 0; i < 40; i++) nested = [nested, '0x1234'];
  out.push({ op: 'rlp.encode', in: { value: nested }, out: { encoded: ethers.encodeRlp(nested) } });
  return out;
}

// Values of the ethers suites: {type, value} or plain.
function plain(v) {
  if (Array.isArray(v)) return v.map(plain);
  if (v === null || typeof v !== 'object') return v;
  switch (v.type) {
    case 'boolean': case 'buffer': case 'string': return v.value;
    case 'number': return v.value;
    case 'null': return null;
    case 'tuple': case 'array': return plain(v.value);
    default: return v.value;
  }
}
// What the tool prints for a value of this type.
function printed(param, value) {
  if (param.baseType === 'array') return [...value].map((v) => printed(param.arrayChildren, v));
  if (param.baseType === 'tuple') return param.components.map((c, i) => printed(c, value[i]));
  if (/^u?int/.test(param.baseType)) {
    const n = BigInt(value);
    if (n <= 9007199254740991n && n >= -9007199254740991n) return Number(n);
    return n < 0n ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`;
  }
  if (param.baseType === 'address') return ethers.getAddress(value);
  if (param.baseType.startsWith('bytes')) return ethers.hexlify(value);
  return value;
}

function abi() {
  const out = [];
  const coder = ethers.AbiCoder.defaultAbiCoder();
  for (const name of ['contract-interface', 'contract-interface-abi2'])
    for (const c of cases(name)) {
      const outputs = JSON.parse(c.interface).find((f) => f.name === 'test').outputs;
      const params = outputs.map((o) => ethers.ParamType.from(o));
      const result = c.result ?? c.data;
      if (outputs.length === 0) continue;
      let decoded;
      try {
        decoded = coder.decode(params, result).toArray(false);
        if (coder.encode(params, decoded) !== result) continue;
      } catch { continue; }
      const value = decoded.map((v, i) => printed(params[i], v));
      const type = params.map((p) => p.format(ethers.FormatType ? 'full' : 'sighash'));
      const sighash = params.map((p) => p.format('sighash'));
      const one = params.length === 1 && out.length % 2 === 0;
      const t = one ? sighash[0] : (out.length % 3 === 0 ? type : sighash);
      out.push({ op: 'abi.decode', in: { type: t, encoded: result }, out: { value: one ? value[0] : value } });
      out.push({ op: 'abi.encode', in: { type: t, value: one ? value[0] : value }, out: { encoded: result } });
    }
  return out;
}

function packed() {
  return cases('solidity-hashes').map((c) => ({
    op: 'abi.packedHash', in: { types: c.types, values: plain(c.values) }, out: { keccak256: c.keccak256, sha256: c.sha256 },
  }));
}

function typedData() {
  const out = [];
  for (const c of cases('eip712')) {
    const input = { domain: c.domain, types: c.types, primaryType: c.primaryType, data: c.data };
    out.push({ op: 'eip712.hash', in: input, out: { digest: c.digest, encoded: c.encoded } });
    if (c.privateKey || out.length % 4 === 0) {
      const privateKey = c.privateKey ?? ethers.id(c.name);
      out.push({ op: 'eip712.sign', in: { ...input, privateKey },
        out: { signature: new ethers.SigningKey(privateKey).sign(c.digest).serialized } });
    }
  }
  return out;
}

function transactions() {
  const out = [];
  for (const c of cases('transactions')) {
    const tx = drop({ to: c.to, data: c.data, value: c.value, nonce: c.nonce, gasLimit: c.gasLimit, gasPrice: c.gasPrice, chainId: 5 });
    const privateKey = c.privateKey;
    out.push({ op: 'eth.tx.sign', in: { kind: 'legacy', tx, privateKey }, out: { unsigned: c.unsignedTransaction, signed: c.signedTransaction } });
    out.push({ op: 'eth.tx.sign', in: { kind: 'eip155', tx, privateKey },
      out: { unsigned: c.unsignedTransactionChainId5, signed: c.signedTransactionChainId5 } });
  }
  for (const c of cases('typed-transactions')) {
    const { type, ...tx } = c.tx;
    out.push({ op: 'eth.tx.sign', in: { kind: type === 1 ? 'berlin' : 'london', tx, privateKey: c.key }, out: { unsigned: c.unsigned, signed: c.signed } });
  }
  // Blob and set-code transactions out of the same material.
  const typed = cases('typed-transactions').filter((c) => c.tx.type === 2);
  for (const [i, c] of typed.entries()) {
    const wallet = new ethers.SigningKey(c.key);
    const base = { ...c.tx, type: undefined };
    const hashesOf = Array.from({ length: (i % 3) + 1 }, (_, k) => `0x01${ethers.id(`${c.name} ${k}`).slice(4)}`);
    const blob = { ...base, to: c.tx.to ?? ethers.ZeroAddress, maxFeePerBlobGas: 7 + i, blobVersionedHashes: hashesOf };
    const sign = (kind, fields, type) => {
      let tx;
      try { tx = ethers.Transaction.from({ ...fields, type }); } catch { return; }
      const unsigned = tx.unsignedSerialized;
      tx.signature = wallet.sign(tx.unsignedHash);
      out.push({ op: 'eth.tx.sign', in: { kind, tx: drop(fields), privateKey: c.key }, out: { unsigned, signed: tx.serialized } });
    };
    sign('cancun', blob, 3);
    const auth = (n) => {
      const signature = wallet.sign(ethers.id(`auth ${n}`));
      return { chainId: String(n), address: ethers.getAddress(ethers.dataSlice(ethers.id(`a${n}`), 12)), nonce: String(n * 3),
        signature: { yParity: signature.yParity, r: signature.r, s: signature.s } };
    };
    const list = Array.from({ length: (i % 2) + 1 }, (_, k) => auth(i + k));
    const fields = { ...base, to: c.tx.to ?? ethers.ZeroAddress, authorizationList: list };
    let tx;
    try {
      tx = ethers.Transaction.from({ ...fields, type: 4,
        authorizationList: list.map((a) => ({ ...a, chainId: BigInt(a.chainId), nonce: BigInt(a.nonce), signature: ethers.Signature.from(a.signature) })) });
    } catch { continue; }
    const unsigned = tx.unsignedSerialized;
    tx.signature = wallet.sign(tx.unsignedHash);
    const flat = i % 2 ? list.map(({ signature, ...rest }) => ({ ...rest, ...signature })) : list;
    out.push({ op: 'eth.tx.sign', in: { kind: 'prague', tx: drop({ ...fields, authorizationList: flat }), privateKey: c.key },
      out: { unsigned, signed: tx.serialized } });
  }
  return out;
}

function wallets() {
  const out = [];
  for (const c of cases('hdnode')) {
    const password = ethers.hexlify(ethers.toUtf8Bytes(c.password ?? ''));
    const nodes = c.hdnodes.map((n) => {
      const node = ethers.HDNodeWallet.fromSeed(c.seed);
      const at = n.path === 'm' ? node : node.derivePath(n.path);
      return { privateKey: n.privateKey, chainCode: at.chainCode };
    });
    out.push({ op: 'hd.wallet', in: { locale: c.locale, phrase: c.mnemonic, password, paths: c.hdnodes.map((n) => n.path) },
      out: { entropy: c.entropy, seed: c.seed, nodes } });
  }
  return out;
}

function userOperations() {
  const { getUserOperationHash } = require('viem/account-abstraction');
  const out = [];
  let state = 1;
  const word = () => ethers.id(`userop ${state++}`);
  const bytes = (max) => { const n = Number(BigInt(word()) % BigInt(max)); let s = '0x'; while (s.length < 2 + 2 * n) s += word().slice(2); return s.slice(0, 2 + 2 * n); };
  const address = () => ethers.getAddress(ethers.dataSlice(word(), 12));
  const big = (bits) => BigInt(word()) >> BigInt(256 - bits);
  for (let i = 0; i < 400; i++) {
    const version = i % 2 ? '0.8' : '0.7';
    const op = { sender: address(), nonce: big(i % 5 ? 256 : 3), callData: bytes(300), callGasLimit: big(40), verificationGasLimit: big(128),
      preVerificationGas: big(60), maxFeePerGas: big(64), maxPriorityFeePerGas: big(i % 7 ? 64 : 1), signature: '0x' };
    if (i % 3 === 0) Object.assign(op, { factory: address(), factoryData: bytes(200) });
    if (i % 4 < 2) Object.assign(op, { paymaster: address(), paymasterVerificationGasLimit: big(128), paymasterPostOpGasLimit: big(30), paymasterData: bytes(90) });
    const json = Object.fromEntries(Object.entries(op).map(([k, v]) => [k, typeof v === 'bigint' ? `0x${v.toString(16)}` : v]));
    if (version === '0.8' && i % 5 === 0) {
      op.factory = json.factory = i % 10 ? '0x7702' : '0x7702000000000000000000000000000000000000';
      op.factoryData = json.factoryData = i % 3 ? '0x' : bytes(40);
      op.authorization = { address: address(), chainId: 1, nonce: 0 };
      json.eip7702Auth = { address: op.authorization.address };
    }
    const chainId = Number(big(i % 30 + 2)) + 1;
    const entryPoint = version === '0.8' ? '0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108' : '0x0000000071727De22E5E9d8BAf0edAc6f37da032';
    out.push({ op: 'userop.hash', in: { version, userOperation: json, entryPoint, chainId },
      out: { hash: getUserOperationHash({ chainId, entryPointAddress: entryPoint, entryPointVersion: version, userOperation: op }) } });
  }
  return out;
}

// Key agreement and Ed25519. What a suite calls acceptable is asked for where the standard decides: X25519 answers for
// every peer but those of small order (RFC 7748), and keys of RFC 5480 name their curve and are uncompressed here.
function agreement(load) {
  const out = [];
  for (const [name, curve, enc] of [['ecdh_secp256k1', 'secp256k1', 'spki'], ['ecdh_secp256r1', 'secp256r1', 'spki'],
    ['ecdh_secp256r1_ecpoint', 'secp256r1', 'point'], ['x25519', 'x25519', 'raw']])
    for (const group of load(name).testGroups)
      for (const t of group.tests) {
        const refused = curve === 'x25519' ? t.flags.includes('ZeroSharedSecret') : t.result !== 'valid';
        out.push({ op: 'ecdh', in: { curve, enc, public: t.public, private: t.private },
          ...(refused ? { error: true } : { out: { shared: `0x${t.shared}` } }) });
      }
  for (const group of load('ed25519').testGroups)
    for (const t of group.tests)
      out.push({ op: 'ed25519.verify', in: { key: group.publicKey.pk, msg: t.msg, sig: t.sig }, out: { valid: t.result === 'valid' } });
  return out;
}

function wycheproof(dir) {
  const load = (name) => JSON.parse(fs.readFileSync(path.join(dir, `${name}_test.json`)));
  const ecdsa = [], macs = [];
  for (const curve of ['secp256k1', 'secp256r1'])
    for (const [suffix, enc, hash] of [['sha256', 'der', 'sha256'], ['sha512', 'der', 'sha512'], ['sha256_p1363', 'p1363', 'sha256'],
      ['sha512_p1363', 'p1363', 'sha512'], ['sha256_bitcoin', 'der-low-s', 'sha256'], ['sha3_256', 'der', 'sha3-256'],
      ['sha3_512', 'der', 'sha3-512'], ['shake128', 'der', 'shake128'], ['shake256', 'der', 'shake256'],
      ['shake128_p1363', 'p1363', 'SHAKE128'], ['shake256_p1363', 'p1363', 'SHAKE256']]) {
      const name = `ecdsa_${curve}_${suffix}`;
      if (!fs.existsSync(path.join(dir, `${name}_test.json`))) continue;
      for (const group of load(name).testGroups)
        for (const t of group.tests)
          ecdsa.push({ op: 'ecdsa.verify', in: { curve, hash, enc, key: group.publicKey.uncompressed, msg: t.msg, sig: t.sig },
            out: { valid: t.result === 'valid' } });
    }
  for (const hash of ['sha256', 'sha512']) {
    for (const group of load(`hmac_${hash}`).testGroups)
      for (const t of group.tests)
        macs.push({ op: 'hmac.verify', in: { hash, key: t.key, msg: t.msg, tag: t.tag, tagBits: group.tagSize }, out: { valid: t.result === 'valid' } });
    for (const group of load(`hkdf_${hash}`).testGroups)
      for (const t of group.tests)
        macs.push({ op: 'hkdf', in: { hash, ikm: t.ikm, salt: t.salt, info: t.info, size: t.size }, ...(t.result === 'valid' ? { out: { okm: `0x${t.okm}` } } : { error: true }) });
    for (const group of load(`pbkdf2_hmac${hash}`).testGroups)
      for (const t of group.tests)
        if (full || t.iterationCount <= 10000)
          macs.push({ op: 'pbkdf2', in: { hash, password: t.password, salt: t.salt, iterations: t.iterationCount, dkLen: t.dkLen }, out: { dk: `0x${t.dk}` } });
  }
  for (const group of load('aes_gcm').testGroups)
    for (const t of group.tests) {
      if (group.keySize !== 256 || group.ivSize !== 96) continue;
      macs.push({ op: 'aes_gcm.open', in: { key: t.key, iv: t.iv, aad: t.aad, ct: t.ct, tag: t.tag }, ...(t.result === 'valid' ? { out: { msg: `0x${t.msg}` } } : { error: true }) });
      if (t.result === 'valid')
        macs.push({ op: 'aes_gcm.seal', in: { key: t.key, iv: t.iv, aad: t.aad, msg: t.msg }, out: { ct: `0x${t.ct}`, tag: `0x${t.tag}` } });
    }
  write('wycheproof_agreement', agreement(load), 500);
  write('wycheproof_ecdsa', ecdsa, 900);
  write('wycheproof_symmetric', macs, 400);
}

// Cells in all parts of the plane, at its edges and at those of cells. The other implementation wraps beyond the poles,
// where no cell is, so neighbours are asked for in the rows between.
function geohash() {
  const { default: geo } = require('latlon-geohash');
  const out = [];
  let state = 1;
  const random = () => Number(BigInt(ethers.id(`geohash ${state++}`)) >> 203n) / 2 ** 53;
  const points = [[0, 0], [90, 180], [-90, -180], [0, 180], [45, -180], [-90, 180], [11.25, 33.75], [-11.25, -33.75], [5.625, 5.625]];
  for (let i = 0; i < 400; i++) points.push([random() * 180 - 90, random() * 360 - 180]);
  points.forEach(([lat, lng], i) => {
    const chars = i % 12 + 1;
    const hash = geo.encode(lat, lng, chars);
    out.push({ op: 'geohash.encode', in: { lat, lng, chars }, out: { hash } });
    const { sw, ne } = geo.bounds(hash);
    out.push({ op: 'geohash.decode', in: { hash }, out: { minLat: sw.lat, maxLat: ne.lat, minLng: sw.lon, maxLng: ne.lon } });
    // A corner is the cell's own; the ones opposite are its neighbours'.
    out.push({ op: 'geohash.encode', in: { lat: sw.lat, lng: sw.lon, chars }, out: { hash } });
    if (ne.lat < 90 && sw.lat > -90)
      out.push({ op: 'geohash.neighbors', in: { hash }, out: { set: Object.values(geo.neighbours(hash)).sort() } });
  });
  for (const hash of ['', 'ezs4a', 'o', '0123456789bcd', '-', 'é']) {
    out.push({ op: 'geohash.decode', in: { hash }, error: true });
    out.push({ op: 'geohash.neighbors', in: { hash }, error: true });
  }
  for (const [lat, lng, chars] of [[90.5, 0, 5], [0, -180.5, 5], [0, 0, 0], [0, 0, 13], ['nan', 0, 5], [0, 'inf', 5], [null, 0, 5]])
    out.push({ op: 'geohash.encode', in: { lat, lng, chars }, error: true });
  return out;
}

function webauthn(file) {
  const v = JSON.parse(fs.readFileSync(file));
  const hex = (text) => `0x${Buffer.from(text ?? '', 'base64url').toString('hex')}`;
  const out = [];
  const line = (a, good) => {
    const registration = v.registrations.find((r) => r.name === a.credential);
    if (!registration || !a.response) return;
    const forms = [{ attestationObject: hex(registration.response.attestationObject) }, { publicKey: hex(registration.response.publicKeySpki) },
      { authenticatorData: hex(registration.response.authenticatorData) }];
    const skip = registration.expect.alg !== -7;
    out.push({ op: 'webauthn.assert', in: { rpId: v.rpId, origin: v.origin, userVerification: 'required', challenge: hex(a.request.challenge), clientDataJSON: hex(a.response.clientDataJSON),
      authenticatorData: hex(a.response.authenticatorData), signature: hex(a.response.signature), registration: forms[out.length % 3] },
      ...(skip ? { skip: true } : good ? { out: { ok: true } } : { error: true }) });
  };
  for (const a of v.assertions) line(a, a.expect.verifies && a.expect.uv);
  for (const n of v.negatives) if (n.name !== 'signed/counter-went-back') line(n, false);
  line(v.negatives.find((n) => n.name === 'signed/counter-went-back'), true);
  line(v.malleable, true);
  for (const r of v.registrations) {
    const given = { rpId: v.rpId, origin: v.origin, challenge: hex(r.request.challenge), clientDataJSON: hex(r.response.clientDataJSON),
      attestationObject: hex(r.response.attestationObject) };
    const register = (more, expected) => out.push({ op: 'webauthn.register', in: { ...given, ...more }, ...expected });
    const skip = r.expect.alg !== -7;
    register({}, skip ? { skip: true } : { out: { ok: true, credentialId: `0x${r.expect.credentialIdHex}`, aaguid: `0x${r.expect.aaguidHex}`,
      format: r.expect.fmt, userVerified: r.expect.uv, backupEligible: r.expect.be, backedUp: r.expect.bs } });
    if (skip) continue;
    register({ origin: `${v.origin}1` }, { error: true });
    register({ rpId: 'example.org' }, { error: true });
    if (!r.expect.uv) register({ userVerification: 'required' }, { error: true });
    // Chromium's test certificate has no chain; it is not its own root either.
    if (r.expect.fmt !== 'none') register({ trustRoot: '0x3000' }, { error: true });
  }
  write('webauthn', out, 100);
}

// The examples of WebAuthn level 3, section 16, as the Go module github.com/go-webauthn/webauthn (v0.18.2) carries them in
// protocol/specification_vectors_e2e_test.go: hexadecimal strings in literals of two kinds.
function webauthnLevel3(file) {
  const source = fs.readFileSync(file, 'utf8');
  const trustRoot = `0x${source.match(/specTestCACertHex = "([0-9a-f]+)"/)[1]}`;
  const out = [];
  for (const literal of source.split(/\n\t\t\{\n/).slice(1)) {
    const field = (name) => literal.match(new RegExp(`\\b${name}:\\s+"([^"]*)"`))?.[1];
    const name = field('name');
    if (!field('challenge')) continue;
    const given = { rpId: 'example.org', origin: 'https://example.org', challenge: `0x${field('challenge')}`, clientDataJSON: `0x${field('clientDataJSON')}` };
    const framed = /Origin/.test(name) && !/allowCrossOrigin:\s+false/.test(literal);
    if (framed) given.allowCrossOrigin = true;
    if (/TopOrigin/.test(name)) given.topOrigin = 'https://example.com';
    const refused = /NotAllowed/.test(name) || (/Origin/.test(name) && !framed);
    const skip = /ES384|ES512|RS256|EdDSA/.test(name);
    const line = (op, input, expected) => out.push({ op, in: input, ...(skip ? { skip: true } : expected) });
    if (field('attestationObject')) {
      const object = field('attestationObject'), id = field('credentialID');
      const aaguid = object.slice(object.indexOf(id) - 36, object.indexOf(id) - 4);
      const certified = object.includes(Buffer.from('x5c').toString('hex'));
      const input = { ...given, attestationObject: `0x${object}`, ...(certified ? { trustRoot } : {}) };
      line('webauthn.register', input, refused ? { error: true } : { out: { ok: true, credentialId: `0x${id}`, aaguid: `0x${aaguid}`, trusted: certified } });
      if (skip || refused) continue;
      // The credential's flags lie before its counter and AAGUID.
      const flags = parseInt(object.slice(object.indexOf(aaguid) - 10, object.indexOf(aaguid) - 8), 16);
      line('webauthn.register', { ...input, userVerification: 'required' }, flags & 4 ? { out: { ok: true } } : { error: true });
      line('webauthn.register', { ...input, challenge: `${input.challenge.slice(0, -1)}${input.challenge.endsWith('0') ? '1' : '0'}` }, { error: true });
      line('webauthn.register', { ...input, attestationObject: `${input.attestationObject}00` }, { error: true });
      if (certified || /Self/.test(name)) {
        // One character of the signature, or of Apple's certificate.
        const at = object.indexOf(Buffer.from(/Apple/.test(name) ? 'x5c' : 'sig').toString('hex')) + (/Apple/.test(name) ? 500 : 60);
        const changed = object.slice(0, at) + (object[at] === '0' ? '1' : '0') + object.slice(at + 1);
        line('webauthn.register', { ...input, attestationObject: `0x${changed}` }, { error: true });
      }
    } else {
      line('webauthn.assert', { ...given, authenticatorData: `0x${field('authenticatorData')}`, signature: `0x${field('signature')}`,
        registration: { coseKey: `0x${field('credentialPubKey')}` } }, refused ? { error: true } : { out: { ok: true } });
    }
  }
  write('webauthn_level3', out, 200);
}

fs.mkdirSync(outDir, { recursive: true });
write('hashes', hashes(), 60);
write('accounts', accounts(), 250);
write('rlp', rlp(), 200);
write('geohash', geohash(), 300);
write('abi', abi(), 300, 3000);
write('packed', packed(), 200);
write('typed_data', typedData(), 200);
write('transactions', transactions(), 300, 3000);
write('wallets', wallets(), 120);
write('user_operations', userOperations(), 200);
if (option('--wycheproof')) wycheproof(option('--wycheproof'));
if (option('--webauthn')) webauthn(option('--webauthn'));
if (option('--webauthn-level3')) webauthnLevel3(option('--webauthn-level3'));
