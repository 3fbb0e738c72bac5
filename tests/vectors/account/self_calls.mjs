// SPDX-License-Identifier: Apache-2.0
// What npm `viem` makes of queued items and session grants: node self_calls.mjs > self_calls.json
import { encodeAbiParameters, encodeFunctionData, keccak256, pad, parseAbi, parseAbiParameters, toHex } from 'viem';

const address = (n) => pad(toHex(n), { size: 20 });
const chainId = 31337n, account = '0x00000000000000000000000000000000c0ffee01', keyEpoch = 3, salt = 5n;
const grantText = 'struct Grant { address target; bytes4[] selectors; uint128 valuePerCall; uint128 valueTotal; uint48 validAfter; uint48 validUntil; address paymaster; uint256 salt; }';
const abi = parseAbi([grantText, 'struct Call { address to; uint256 value; bytes data; }',
  'function execute(bytes32 mode, bytes data)', 'function queue(uint8 kind, bytes content, uint256 salt)',
  'function confirm(uint8 kind, bytes content, uint256 salt)', 'function createGrant(Grant grant)',
  'function executeSession(Grant grant, bytes data)']);
const batch = (calls) => encodeAbiParameters(parseAbiParameters(['Call[] calls', 'struct Call { address to; uint256 value; bytes data; }']), [calls]);
const self = (data) => encodeFunctionData({ abi, functionName: 'execute', args: [pad('0x01', { dir: 'right', size: 32 }), batch([{ to: account, value: 0n, data }])] });
const calls = [{ to: address(1), value: 7n, data: '0x' }, { to: address(2), value: 0n, data: '0xa9059cbb01' }];

const contents = [batch(calls), encodeAbiParameters(parseAbiParameters('address a, uint256 b'), [address(3), 9n]),
  encodeAbiParameters(parseAbiParameters('uint256 a'), [10n]), pad(toHex(11), { size: 32 }),
  encodeAbiParameters(parseAbiParameters('address a, bytes4 b'), [address(4), '0x12345678'])];
const queued = contents.map((content, kind) => ({ kind, content,
  id: keccak256(encodeAbiParameters(parseAbiParameters('uint256 a, address b, uint8 c, bytes32 d, uint256 e, uint32 f'),
    [chainId, account, kind, keccak256(content), salt, keyEpoch])),
  queue: self(encodeFunctionData({ abi, functionName: 'queue', args: [kind, content, salt] })),
  confirm: self(encodeFunctionData({ abi, functionName: 'confirm', args: [kind, content, salt] })) }));

const grant = { target: address(20), selectors: ['0x01020304', '0xffeeddcc'], valuePerCall: 100n, valueTotal: 250n,
  validAfter: 1_700_000_000, validUntil: 1_700_007_200, paymaster: address(21), salt };
const grants = { id: keccak256(encodeAbiParameters(parseAbiParameters(['uint256 a, address b, uint32 c, Grant d', grantText]), [chainId, account, keyEpoch, grant])),
  create: self(encodeFunctionData({ abi, functionName: 'createGrant', args: [grant] })),
  session: encodeFunctionData({ abi, functionName: 'executeSession', args: [grant, batch(calls)] }) };
process.stdout.write(JSON.stringify({ queued, grant: grants }, null, 1) + '\n');
