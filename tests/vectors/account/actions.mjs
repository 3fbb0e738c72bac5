// SPDX-License-Identifier: Apache-2.0
// Actions of a CommunityAccount with the digests and call data that npm `viem` makes of them:
// node actions.mjs > actions.json, with viem of tests/clients to be found.
import { encodeFunctionData, hashTypedData, keccak256, encodeAbiParameters, parseAbi, toHex, pad } from 'viem';

const where = { chainId: 31337, account: '0x00000000000000000000000000000000c0ffee01' };
const stamp = { keyEpoch: 3, nonce: 0x1234567890abcdefn, deadline: 1_800_000_000 };
const address = (n) => pad(toHex(n), { size: 20 });
const word = (n) => pad(toHex(n), { size: 32 });
const passkey = (n) => ({ x: 1000n + BigInt(n), y: 2000n + BigInt(n), rpIdHash: word(77 + n) });
const signatures = [{ signer: 0, data: '0x0102' }, { signer: 8, data: '0x03' }, { signer: 9, data: '0x' }];

const PASSKEY = [{ name: 'x', type: 'uint256' }, { name: 'y', type: 'uint256' }, { name: 'rpIdHash', type: 'bytes32' }];
const STAMP = [{ name: 'keyEpoch', type: 'uint32' }, { name: 'nonce', type: 'uint256' }, { name: 'deadline', type: 'uint48' }];
const structs = ['struct Passkey { uint256 x; uint256 y; bytes32 rpIdHash; }',
  'struct Stamp { uint32 keyEpoch; uint256 nonce; uint48 deadline; }', 'struct Signature { uint8 signer; bytes data; }',
  'struct GuardianProof { bytes32 salt; bytes[] guardians; bytes[] signatures; }'];
const fieldList = (text) => text === '' ? [] : text.split(',').map((one) => {
  const [type, name] = one.trim().split(' ');
  return { name, type };
});

// name, fields of the struct, message, function, whether the fields are one parameter, and the function that finishes
const actions = [
  ['Freeze', '', {}, 'freeze', false, null],
  ['Unfreeze', 'uint8 votes', { votes: 1 }, 'unfreeze', false, 'finishUnfreeze'],
  ['ChangeKeys', 'uint256[] removed,Passkey[] added,address serverKey,address escapeKey,uint8 votes',
    { removed: [1n, 2n ** 255n], added: [passkey(1), passkey(2)], serverKey: address(5), escapeKey: address(0), votes: 2 },
    'changeKeys', true, 'finishChangeKeys'],
  ['ChangeRules', 'bytes32 guardiansHash,uint8 guardianThreshold,uint32 recoveryDelay,bool strict,bool unlistedTokens,uint8 votes',
    { guardiansHash: word(9), guardianThreshold: 2, recoveryDelay: 604800, strict: true, unlistedTokens: false, votes: 1 },
    'changeRules', true, 'finishChangeRules'],
  ['Escape', 'Passkey[] passkeys,address serverKey,uint8 votes', { passkeys: [passkey(3)], serverKey: address(6), votes: 2 },
    'escape', false, 'finishEscape'],
  ['Upgrade', 'address implementation,bytes32 codeHash', { implementation: address(7), codeHash: word(8) }, 'upgrade', false, null],
  ['Cancel', 'bytes32 item', { item: word(10) }, 'cancel', false, null],
  ['LowerLimit', 'address token,uint256 perDay', { token: address(11), perDay: 12n }, 'lowerLimit', false, null],
  ['LowerGasCap', 'uint256 maxCost', { maxCost: 13n }, 'lowerGasCap', false, null],
  ['UnlistDomain', 'bytes32 domainSeparator', { domainSeparator: word(14) }, 'unlistDomain', false, null],
  ['DisallowCall', 'address target,bytes4 selector', { target: address(15), selector: '0xa9059cbb' }, 'disallowCall', false, null],
  ['RevokeGrant', 'bytes32 grantId', { grantId: word(16) }, 'revokeGrant', false, null],
];
const recover = ['Recover', 'Passkey[] passkeys,address serverKey,address escapeKey',
  { passkeys: [passkey(4), passkey(5)], serverKey: address(17), escapeKey: address(18) }];

const digest = ([name, fields, message]) => hashTypedData({
  domain: { name: 'CommunityAccount', version: '1', chainId: where.chainId, verifyingContract: where.account },
  types: { [name]: [...fieldList(fields), ...STAMP], ...(fields.includes('Passkey[]') ? { Passkey: PASSKEY } : {}) },
  primaryType: name, message: { ...message, ...stamp },
});
const call = (text, functionName, args) => encodeFunctionData({ abi: parseAbi([...structs, ...text]), functionName, args });
const forms = (name, fields, asStruct) => asStruct
  ? [[`struct ${name} { ${fields.split(',').join('; ')}; }`], `${name} content`, (m) => [m]]
  : [[], fields, (m) => fieldList(fields).map((f) => m[f.name])];

const rows = actions.map(([name, fields, message, functionName, asStruct, finish]) => {
  const [more, parameters, args] = forms(name, fields, asStruct);
  const head = parameters === '' ? '' : `${parameters}, `;
  const row = { name, digest: digest([name, fields, message]),
    call: call([...more, `function ${functionName}(${head}Stamp stamp, Signature[] signatures)`], functionName, [...args(message), stamp, signatures]) };
  if (finish) row.finish = call([...more, `function ${finish}(${head}Stamp stamp)`], finish, [...args(message), stamp]);
  return row;
});

const upgrade = { implementation: address(7), codeHash: word(8) };
const confirmStamp = { ...stamp, nonce: 99n };
const item = digest(actions.find((a) => a[0] === 'Upgrade'));
rows.push({ name: 'ConfirmUpgrade',
  digest: hashTypedData({ domain: { name: 'CommunityAccount', version: '1', chainId: where.chainId, verifyingContract: where.account },
    types: { ConfirmUpgrade: [{ name: 'item', type: 'bytes32' }, ...STAMP] }, primaryType: 'ConfirmUpgrade', message: { item, ...confirmStamp } }),
  call: call(['function confirmUpgrade(address implementation, bytes32 codeHash, Stamp stamp, Stamp confirmStamp, Signature[] signatures)'],
    'confirmUpgrade', [upgrade.implementation, upgrade.codeHash, stamp, confirmStamp, signatures]) });

const guardians = [address(21), address(22), '0x' + 'ab'.repeat(84)].sort((a, b) => (keccak256(a) < keccak256(b) ? -1 : 1));
const salt = word(20);
const proof = { salt, guardians, signatures: ['0x', '0x0405', '0x06'] };
const [name, fields, message] = recover;
rows.push({ name, digest: digest(recover), guardiansHash: keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes[]' }], [salt, guardians])),
  call: call([`function recover(${fields}, Stamp stamp, GuardianProof proof)`], 'recover', [message.passkeys, message.serverKey, message.escapeKey, stamp, proof]),
  finish: call([`function finishRecover(${fields}, Stamp stamp)`], 'finishRecover', [message.passkeys, message.serverKey, message.escapeKey, stamp]),
  cancel: call(['function cancelAsGuardians(bytes32 item, Stamp stamp, GuardianProof proof)'], 'cancelAsGuardians', [word(10), stamp, proof]),
  approve: call(['function approve(bytes32 digest)'], 'approve', [word(23)]) });

process.stdout.write(JSON.stringify(rows, null, 1) + '\n');
