// SPDX-License-Identifier: Apache-2.0
// Asks viem for what people sign with keys of their own: addresses of a phrase, transactions, personal messages, typed
// data, and the nested forms of ERC-7739. One JSON object a line; typed data also in the form that the trusted core
// reads. Needs the npm packages of tests/clients (`npm ci` there).
// Usage: node make_message_vectors.mjs > messages.jsonl
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(fileURLToPath(new URL('../../../tests/clients/package.json', import.meta.url)));
const { hashMessage, hashTypedData, keccak256, serializeTransaction, toHex } = require('viem');
const { mnemonicToAccount } = require('viem/accounts');
const erc7739 = require('viem/experimental/erc7739');

// Numbers that follow from a counter, so that the file can be made again.
let count = 0;
const bytes = (size) => {
  let out = Buffer.alloc(0);
  while (out.length < size) out = Buffer.concat([out, createHash('sha256').update(`message/${count++}`).digest()]);
  return out.subarray(0, size);
};
const below = (n) => bytes(4).readUInt32BE() % n;
const hex = (size) => `0x${bytes(size).toString('hex')}`;
const print = (line) => console.log(JSON.stringify(line, (_, v) => (typeof v === 'bigint' ? v.toString() : v)));

// --- addresses

const phrases = [
  'test test test test test test test test test test test junk',
  'legal winner thank year wave sausage worth useful legal winner thank yellow',
  'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
];
const entropies = ['df9bf37e6fcdf9bf37e6fcdf9bf37e3c', '7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f',
  'f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f'];
for (const [i, phrase] of phrases.entries())
  for (const [chainId, coin] of [[1, 60], [31337, 60], [137, 966], [56, 714]])
    for (const [account, index] of [[0, 0], [0, 1], [3, 0], [2147483647, 2147483647]])
      print({ kind: 'address', entropy: entropies[i], chainId, account, index,
        address: mnemonicToAccount(phrase, { path: `m/44'/${coin}'/${account}'/0/${index}` }).address });

// --- transactions

const common = () => ({ chainId: 31337, nonce: below(3) === 0 ? 0 : below(1000), gas: BigInt(21000 + below(100000)),
  to: hex(20), value: BigInt(below(1000000)), data: below(2) ? '0x' : hex(1 + below(80)) });
const fees = () => ({ maxFeePerGas: 2000000000n + BigInt(below(1000)), maxPriorityFeePerGas: BigInt(below(1000000000)) });
const accessList = () => Array.from({ length: below(3) }, () => ({ address: hex(20),
  storageKeys: Array.from({ length: below(3) }, () => hex(32)) }));
for (let i = 0; i < 24; i++) {
  const transaction = [
    () => ({ type: 'legacy', ...common(), gasPrice: 1000000000n + BigInt(below(1000)) }),
    () => ({ type: 'eip2930', ...common(), gasPrice: 1000000000n, accessList: accessList() }),
    () => ({ type: 'eip1559', ...common(), ...fees(), accessList: accessList() }),
    () => ({ type: 'eip7702', ...common(), ...fees(), accessList: accessList(),
      authorizationList: Array.from({ length: 1 + below(3) }, () => ({ chainId: 31337, address: hex(20),
        nonce: below(9), r: hex(32).replace('0x0', '0x1'), s: hex(32).replace('0x0', '0x1'), yParity: below(2) })) }),
  ][i % 4]();
  const unsigned = serializeTransaction(transaction);
  print({ kind: 'transaction', type: [0, 1, 2, 4][i % 4], nonce: transaction.nonce, gas: transaction.gas,
    fee: transaction.maxFeePerGas ?? transaction.gasPrice, to: transaction.to, value: transaction.value,
    data: transaction.data, authorizations: transaction.authorizationList?.length ?? 0, unsigned,
    digest: keccak256(unsigned) });
}

// --- personal messages

const account = '0x00000000000000000000000000000000000c0de5';
const verifier = (chainId) => ({ name: 'CommunityAccount', version: '1', chainId, verifyingContract: account,
  salt: `0x${'00'.repeat(32)}` });
// The account's own domain has no salt; the nested struct gives it as zero.
const own = ({ salt, ...rest }) => rest;
for (const size of [0, 1, 9, 10, 31, 32, 33, 99, 100, 136, 1000, 9999, 10000]) {
  const message = hex(size);
  print({ kind: 'personal', message, digest: hashMessage({ raw: message }), account, chainId: 31337,
    nested: erc7739.hashMessage({ message: { raw: message }, verifierDomain: own(verifier(31337)) }) });
}

// --- typed data

const word = (v) => Buffer.from(BigInt.asUintN(256, BigInt(v)).toString(16).padStart(64, '0'), 'hex');
const sized = (b) => { const n = Buffer.alloc(4); n.writeUInt32BE(b.length); return Buffer.concat([n, b]); };
const raw = (h) => Buffer.from(h.slice(2), 'hex');

// The values in the order of their types, as spec/trusted-core-protocol.md describes.
function encodeValue(types, type, value) {
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array) {
    const elements = Buffer.concat(value.map((v) => encodeValue(types, array[1], v)));
    if (array[2]) return elements;
    const n = Buffer.alloc(2);
    n.writeUInt16BE(value.length);
    return Buffer.concat([n, elements]);
  }
  if (types[type]) return Buffer.concat(types[type].map((m) => encodeValue(types, m.type, value[m.name])));
  if (type === 'bool') return Buffer.from([value ? 1 : 0]);
  if (type === 'string') return sized(Buffer.from(value));
  if (type === 'bytes') return sized(raw(value));
  if (type === 'address' || /^bytes\d+$/.test(type)) return raw(value);
  return word(value);
}

function printTyped({ domain, types, primaryType, message }, more = {}) {
  const reached = new Set();
  const reach = (type) => {
    const name = type.split('[')[0];
    if (!types[name] || reached.has(name)) return;
    reached.add(name);
    types[name].forEach((m) => reach(m.type));
  };
  reach(primaryType);
  const names = [...reached].sort();
  const nested = erc7739.hashTypedData({ domain, types, primaryType, message, verifierDomain: verifier(31337) });
  print({ kind: 'typed', domain: { name: domain.name, version: domain.version, chainId: domain.chainId,
    verifyingContract: domain.verifyingContract, salt: domain.salt }, primary: names.indexOf(primaryType),
    types: names.map((n) => `${n}(${types[n].map((m) => `${m.type} ${m.name}`).join(',')})`),
    values: `0x${encodeValue(types, primaryType, message).toString('hex')}`,
    digest: hashTypedData({ domain, types, primaryType, message }), account, nested, ...more });
}

// The example of EIP-712.
const person = [{ name: 'name', type: 'string' }, { name: 'wallet', type: 'address' }];
printTyped({
  domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
  types: { Person: person, Mail: [{ name: 'from', type: 'Person' }, { name: 'to', type: 'Person' }, { name: 'contents', type: 'string' }] },
  primaryType: 'Mail',
  message: { from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' }, contents: 'Hello, Bob!' },
}, { note: 'EIP-712' });

const atoms = ['bool', 'address', 'string', 'bytes', 'uint8', 'uint96', 'uint256', 'int8', 'int40', 'int256', 'bytes1',
  'bytes4', 'bytes20', 'bytes32'];
function atom(type) {
  if (type === 'bool') return below(2) === 1;
  if (type === 'address') return hex(20);
  if (type === 'string') return ['', 'a', 'Grüße an alle', 'x'.repeat(below(200))][below(4)];
  if (type === 'bytes') return hex(below(100));
  const fixed = /^bytes(\d+)$/.exec(type);
  if (fixed) return hex(Number(fixed[1]));
  const bits = BigInt(/\d+$/.exec(type)[0]);
  const number = BigInt(hex(32));
  return type[0] === 'u' ? BigInt.asUintN(Number(bits), number) : BigInt.asIntN(Number(bits), number);
}

for (let i = 0; i < 100; i++) {
  // Structs that name only those made before them, in an order of names that has nothing to do with it.
  const structs = Array.from({ length: 1 + below(4) }, (_, k) => `${'TZMA'[k]}ype${below(100)}`);
  const types = {};
  for (const [k, name] of structs.entries())
    types[name] = Array.from({ length: (k === 0 ? 1 : 0) + below(5) }, (_, m) => {
      const base = k > 0 && below(2) ? structs[below(k)] : atoms[below(atoms.length)];
      return { name: `member${m}`, type: base + ['', '', '', '[]', '[2]', '[][3]', '[1][]'][below(7)] };
    });
  const value = (type) => {
    const array = /^(.*)\[(\d*)\]$/.exec(type);
    if (array) return Array.from({ length: array[2] ? Number(array[2]) : below(4) }, () => value(array[1]));
    if (types[type]) return Object.fromEntries(types[type].map((m) => [m.name, value(m.type)]));
    return atom(type);
  };
  const fields = below(31) + 1;
  const domain = {};
  if (fields & 1) domain.name = `App ${below(9)}`;
  if (fields & 2) domain.version = `${below(9)}`;
  if (fields & 4) domain.chainId = 31337;
  if (fields & 8) domain.verifyingContract = hex(20);
  if (fields & 16) domain.salt = hex(32);
  const primaryType = structs[structs.length - 1];
  printTyped({ domain, types, primaryType, message: value(primaryType) });
}
