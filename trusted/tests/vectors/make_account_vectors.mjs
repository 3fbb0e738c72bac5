// SPDX-License-Identifier: Apache-2.0
// Asks viem for the digests of an account's EIP-712 structs and for the encodings of grants and queued items, and prints
// one line each. Needs the npm packages of tests/clients.
// Usage: node make_account_vectors.mjs > account_actions.txt
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../tests/clients/package.json', import.meta.url));
const { encodeAbiParameters, encodeFunctionData, hashTypedData, keccak256, parseAbi, parseAbiParameters } =
  await import(require.resolve('viem'));

// Bytes that follow from a name, so that the file can be made again.
function bytes(name, size) {
  let out = Buffer.alloc(0);
  for (let i = 0; out.length < size; i++) out = Buffer.concat([out, createHash('sha256').update(`${name}/${i}`).digest()]);
  return `0x${out.subarray(0, size).toString('hex')}`;
}
const number = (name, size) => BigInt(bytes(name, size));
const address = (name) => bytes(name, 20);
const plain = (hex) => (hex === '0x' ? '-' : hex.slice(2));
const word = (n) => BigInt(n).toString(16).padStart(64, '0');
const show = (value) => (typeof value === 'string' ? plain(value) : word(value));

const STAMP = [{ name: 'keyEpoch', type: 'uint32' }, { name: 'nonce', type: 'uint256' }, { name: 'deadline', type: 'uint48' }];
const PASSKEY = [{ name: 'x', type: 'uint256' }, { name: 'y', type: 'uint256' }, { name: 'rpIdHash', type: 'bytes32' }];
const fields = (text) => (text === '' ? [] : text.split(',').map((f) => ({ type: f.split(' ')[0], name: f.split(' ')[1] })));

// Number of the protocol, name and own fields of each action.
const ACTIONS = [
  [1, 'Freeze', ''],
  [2, 'Unfreeze', 'uint8 votes'],
  [3, 'ChangeRules', 'bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,bool unlistedTokens,uint8 votes'],
  [4, 'Upgrade', 'address implementation,bytes32 codeHash'],
  [5, 'Cancel', 'bytes32 item'],
  [6, 'LowerLimit', 'address token,uint256 perDay'],
  [7, 'LowerGasCap', 'uint256 maxCost'],
  [8, 'UnlistDomain', 'bytes32 domainSeparator'],
  [9, 'DisallowCall', 'address target,bytes4 selector'],
  [10, 'RevokeGrant', 'bytes32 grantId'],
];

function value(type, name, i) {
  if (type === 'bool') return i % 2 === 1;
  if (name.endsWith('/votes')) return 1 + (i % 2);
  if (type === 'address') return address(name);
  if (type.startsWith('bytes')) return bytes(name, Number(type.slice(5)));
  return number(name, Number(type.slice(4)) / 8);
}
const domain = (chainId, verifyingContract) => ({ name: 'CommunityAccount', version: '1', chainId, verifyingContract });
const stamp = (name) => ({ keyEpoch: Number(number(`${name}/epoch`, 4)), nonce: number(`${name}/nonce`, 32), deadline: Number(number(`${name}/deadline`, 6)) });

console.log('# Digests and encodings by viem; see make_account_vectors.mjs');
for (const [kind, primaryType, text] of ACTIONS) {
  for (let i = 0; i < 4; i++) {
    const name = `${primaryType}/${i}`;
    const own = fields(text);
    const chainId = 1 + Number(number(`${name}/chain`, 4));
    const account = address(`${name}/account`);
    const at = stamp(name);
    const values = Object.fromEntries(own.map((f) => [f.name, value(f.type, `${name}/${f.name}`, i)]));
    const digest = hashTypedData({ domain: domain(chainId, account), types: { [primaryType]: [...own, ...STAMP] }, primaryType, message: { ...values, ...at } });
    console.log(['action', kind, word(chainId), account.slice(2), word(at.keyEpoch), word(at.nonce), word(at.deadline), plain(digest),
      ...Object.values(values).map(show)].join(' '));
  }
}

for (let i = 0; i < 6; i++) {
  const name = `ChangeKeys/${i}`;
  const passkey = (n) => ({ x: number(`${name}/${n}/x`, 32), y: number(`${name}/${n}/y`, 32), rpIdHash: bytes(`${name}/${n}/rp`, 32) });
  const message = {
    removed: Array.from({ length: i % 3 }, (_, n) => number(`${name}/removed/${n}`, 32)),
    added: Array.from({ length: (i + 1) % 4 }, (_, n) => passkey(n)),
    serverKey: i % 2 ? address(`${name}/server`) : `0x${'00'.repeat(20)}`, escapeKey: i > 2 ? address(`${name}/escape`) : `0x${'00'.repeat(20)}`,
    votes: 1 + (i % 2), ...stamp(name),
  };
  const own = fields('uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes');
  const account = address(`${name}/account`);
  const digest = hashTypedData({ domain: domain(31337, account), types: { Passkey: PASSKEY, ChangeKeys: [...own, ...STAMP] }, primaryType: 'ChangeKeys', message });
  console.log(['keys', word(31337), account.slice(2), word(message.keyEpoch), word(message.nonce), word(message.deadline), plain(digest),
    message.removed.map(word).join('') || '-', message.added.map((p) => word(p.x) + word(p.y) + plain(p.rpIdHash)).join('') || '-',
    plain(message.serverKey), plain(message.escapeKey), word(message.votes)].join(' '));
}

const abi = parseAbi([
  'struct Grant { address target; bytes4[] selectors; uint128 valuePerCall; uint128 valueTotal; uint48 validAfter; uint48 validUntil; address paymaster; uint256 salt; }',
  'function createGrant(Grant grant)', 'function executeSession(Grant grant, bytes executionData)',
  'function queue(uint8 kind, bytes content, uint256 salt)', 'function confirm(uint8 kind, bytes content, uint256 salt)',
]);
const grantType = abi.find((item) => item.name === 'createGrant').inputs;
const CALLS = parseAbiParameters(['Call[] calls', 'struct Call { address to; uint256 value; bytes data; }']);
const calls = (name, count) => encodeAbiParameters(CALLS, [Array.from({ length: count }, (_, n) => ({ to: address(`${name}/${n}/to`), value: number(`${name}/${n}/value`, 8), data: bytes(`${name}/${n}/data`, 4 + 9 * n) }))]);

for (let i = 1; i <= 8; i++) {
  const name = `grant/${i}`;
  const grant = {
    target: address(`${name}/target`), selectors: Array.from({ length: i }, (_, n) => bytes(`${name}/selector/${n}`, 4)),
    valuePerCall: number(`${name}/call`, 16), valueTotal: number(`${name}/total`, 16), validAfter: Number(number(`${name}/after`, 6)),
    validUntil: Number(number(`${name}/until`, 6)), paymaster: address(`${name}/paymaster`), salt: number(`${name}/salt`, 32),
  };
  const executionData = calls(name, i);
  console.log(['grant', plain(keccak256(encodeAbiParameters(grantType, [grant]))), plain(encodeFunctionData({ abi, functionName: 'createGrant', args: [grant] })),
    plain(executionData), plain(encodeFunctionData({ abi, functionName: 'executeSession', args: [grant, executionData] })), plain(grant.target),
    grant.selectors.map(plain).join(''), word(grant.valuePerCall), word(grant.valueTotal), word(grant.validAfter), word(grant.validUntil),
    plain(grant.paymaster), word(grant.salt)].join(' '));
}

const CONTENTS = ['', 'address token,uint256 perDay', 'uint256 maxCost', 'bytes32 domainSeparator', 'address target,bytes4 selector'];
for (let kind = 0; kind < 5; kind++) {
  for (const functionName of ['queue', 'confirm']) {
    const name = `${functionName}/${kind}`;
    const own = fields(CONTENTS[kind]);
    const values = own.map((f) => value(f.type, `${name}/${f.name}`, 0));
    const content = kind === 0 ? calls(name, 3) : encodeAbiParameters(own, values);
    const salt = number(`${name}/salt`, 32);
    console.log([functionName, kind, plain(content), word(salt), plain(encodeFunctionData({ abi, functionName, args: [kind, content, salt] })), ...values.map(show)].join(' '));
  }
}
