// SPDX-License-Identifier: Apache-2.0
// A CommunityMultisig's init data, address, digests, calls and proposal ids as npm `viem` makes them:
// node multisig.mjs > multisig.json, with viem of tests/clients to be found.
import { concat, encodeAbiParameters, encodeEventTopics, encodeFunctionData, getContractAddress, hashStruct, hashTypedData, keccak256,
  pad, parseAbi, parseAbiParameters, toHex } from 'viem';

const address = (n) => pad(toHex(n), { size: 20 });
const word = (n) => pad(toHex(n), { size: 32 });
const chainId = 31337;
const multisig = '0x00000000000000000000000000000000c0ffee02';
const verifier = address(0x7e);
const owners = [address(0xa1), address(0xb0b), concat([verifier, word(1001), word(2002)])];
const stamp = { epoch: 3, nonce: 0x1234567890abcdefn, deadline: 1_800_000_000 };
const signature = '0x' + '5a'.repeat(65);

const structs = ['struct Call { address to; uint256 value; bytes data; }', 'struct Stamp { uint32 epoch; uint256 nonce; uint48 deadline; }'];
const abi = (...text) => parseAbi([...structs, ...text]);
const CALL = [{ name: 'to', type: 'address' }, { name: 'value', type: 'uint256' }, { name: 'data', type: 'bytes' }];
const STAMP = [{ name: 'epoch', type: 'uint32' }, { name: 'nonce', type: 'uint256' }, { name: 'deadline', type: 'uint48' }];
const fields = (text) => text.split(',').map((one) => {
  const [type, name] = one.split(' ');
  return { name, type };
});

const calls = [{ to: address(5), value: 10n ** 18n, data: '0x' }, { to: address(6), value: 0n, data: '0xdeadbeef01' }];
const domain = { name: 'CommunityMultisig', version: '1', chainId, verifyingContract: multisig };

// struct, function, fields, message
const actions = [
  ['Propose', 'propose', 'Call[] calls,uint256 salt,uint48 expiry', { calls, salt: 7n, expiry: 1_790_000_000 }],
  ['Approve', 'approve', 'bytes32 proposal', { proposal: word(10) }],
  ['WithdrawApproval', 'withdrawApproval', 'bytes32 proposal', { proposal: word(10) }],
  ['Reject', 'reject', 'bytes32 proposal', { proposal: word(10) }],
  ['Cancel', 'cancel', 'bytes32 proposal', { proposal: word(10) }],
  ['Spend', 'spend', 'address token,address to,uint256 amount', { token: address(11), to: address(12), amount: 13n }],
];

const rows = [];
for (const owner of [owners[0], owners[2]]) {
  for (const [name, functionName, text, message] of actions) {
    const types = { [name]: [{ name: 'owner', type: 'bytes' }, ...fields(text), ...STAMP], ...(name === 'Propose' ? { Call: CALL } : {}) };
    const args = fields(text).map((one) => message[one.name]);
    rows.push({ name, owner,
      digest: hashTypedData({ domain, types, primaryType: name, message: { owner, ...message, ...stamp } }),
      call: encodeFunctionData({ abi: abi(`function ${functionName}(${text})`), functionName, args }),
      bySignature: encodeFunctionData({ abi: abi(`function ${functionName}BySignature(${text}, bytes owner, Stamp stamp, bytes signature)`),
        functionName: `${functionName}BySignature`, args: [...args, owner, stamp, signature] }) });
  }
}

const callsHash = keccak256(concat(calls.map((call) => hashStruct({ data: call, primaryType: 'Call', types: { Call: CALL } }))));
const proposer = keccak256(owners[1]);
const [salt, expiry] = [7n, 1_790_000_000];
const id = keccak256(encodeAbiParameters(parseAbiParameters('uint256, address, bytes32, bytes32, uint256, uint48'),
  [BigInt(chainId), multisig, proposer, callsHash, salt, expiry]));
const execute = encodeFunctionData({ abi: abi('function execute(bytes32 proposer, Call[] calls, uint256 salt, uint48 expiry)'),
  functionName: 'execute', args: [proposer, calls, salt, expiry] });
const event = parseAbi([structs[0], 'event Proposed(bytes32 indexed id, bytes32 indexed proposer, Call[] calls, uint256 salt, uint48 expiry, uint48 lastSecond)']);
const proposal = { callsHash, id, execute, topics: encodeEventTopics({ abi: event, eventName: 'Proposed', args: { id, proposer } }),
  data: encodeAbiParameters(event[0].inputs.slice(2), [calls, salt, expiry, expiry]) };

const init = { owners, threshold: 2, limits: [{ chainId: 31337n, token: address(0), perDay: 10n ** 17n },
  { chainId: 1n, token: address(9), perDay: 2n ** 200n }], salt: 99n };
const initData = encodeAbiParameters(parseAbi(['struct LimitRow { uint256 chainId; address token; uint256 perDay; }',
  'struct MultisigInit { bytes[] owners; uint8 threshold; LimitRow[] limits; uint256 salt; }',
  'function f(MultisigInit init)'])[0].inputs, [init]);
const [factory, proxyInitCodeHash] = [address(0xfac), word(0x1234)];
const creation = { initData, factory, proxyInitCodeHash,
  multisig: getContractAddress({ opcode: 'CREATE2', from: factory, salt: keccak256(initData), bytecodeHash: proxyInitCodeHash }),
  call: encodeFunctionData({ abi: parseAbi(['function createMultisig(bytes initData)']), functionName: 'createMultisig', args: [initData] }) };

const selfCalls = {
  changeOwners: encodeFunctionData({ abi: parseAbi(['function changeOwners(bytes[] removed, bytes[] added, uint8 threshold)']),
    functionName: 'changeOwners', args: [[owners[0]], [owners[1], owners[2]], 2] }),
  setDailyLimit: encodeFunctionData({ abi: parseAbi(['function setDailyLimit(address token, uint112 perDay)']), functionName: 'setDailyLimit',
    args: [address(11), 2n ** 111n] }),
};

process.stdout.write(JSON.stringify({ actions: rows, proposal, creation, selfCalls }, null, 1) + '\n');
