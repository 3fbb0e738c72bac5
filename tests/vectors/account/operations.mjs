// SPDX-License-Identifier: Apache-2.0
// Hashes that npm `viem` computes of user operations of an account for EntryPoint 0.8, in the form of ERC-7769:
// node operations.mjs > operations.json, with viem of tests/clients to be found.
import { encodeAbiParameters, encodeFunctionData, pad, parseAbi, parseAbiParameters, toHex } from 'viem';
import { getUserOperationHash } from 'viem/account-abstraction';

const address = (n) => pad(toHex(n), { size: 20 });
const account = '0x00000000000000000000000000000000c0ffee01';
const entryPoint = '0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108';
const abi = parseAbi(['function execute(bytes32 mode, bytes data)', 'function createAccount(bytes initData)',
  'function transfer(address to, uint256 amount)', 'function queue(uint8 kind, bytes content, uint256 salt)']);
const batch = (calls) => encodeAbiParameters(parseAbiParameters(['Call[] calls', 'struct Call { address to; uint256 value; bytes data; }']), [calls]);
const execute = (calls) => encodeFunctionData({ abi, functionName: 'execute', args: [pad('0x01', { dir: 'right', size: 32 }), batch(calls)] });

const pay = { to: address(1), value: 7n, data: '0x' };
const token = { to: address(2), value: 0n, data: encodeFunctionData({ abi, functionName: 'transfer', args: [address(3), 9n] }) };
const queue = { to: account, value: 0n, data: encodeFunctionData({ abi, functionName: 'queue', args: [0, batch([pay]), 5n] }) };
const plain = { callGasLimit: '0x186a0', verificationGasLimit: '0x7a120', preVerificationGas: '0xc350', maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x3b9aca00' };
const made = { factory: address(4), factoryData: encodeFunctionData({ abi, functionName: 'createAccount', args: ['0x0102'] }) };
const sponsored = { paymaster: address(5), paymasterVerificationGasLimit: '0x9c40', paymasterPostOpGasLimit: '0x0', paymasterData: '0x00006553f10001020304' };

const cases = [
  ['pays ether', 1, { nonce: '0x0', callData: execute([pay]), ...plain }],
  ['pays a token under a nonce key', 31337, { nonce: '0x30000000000000002', callData: execute([token]), ...plain }],
  ['deploys with its first payment', 31337, { nonce: '0x0', callData: execute([pay]), ...made, ...plain }],
  ['is sponsored', 31337, { nonce: '0x1', callData: execute([pay, token]), ...sponsored, ...plain }],
  ['deploys, sponsored', 11155111, { nonce: '0x0', callData: execute([token]), ...made, ...sponsored, ...plain }],
  ['queues', 31337, { nonce: '0x5', callData: execute([queue]), ...sponsored, ...plain }],
];

const numbers = /^nonce$|Gas|Limit$/;
const rows = cases.map(([name, chainId, fields]) => {
  const userOperation = { sender: account, ...fields };
  const read = Object.fromEntries(Object.entries(userOperation).map(([key, value]) => [key, numbers.test(key) ? BigInt(value) : value]));
  const hash = getUserOperationHash({ chainId, entryPointAddress: entryPoint, entryPointVersion: '0.8', userOperation: { ...read, signature: '0x' } });
  return { name, chainId, entryPoint, userOperation, hash };
});
process.stdout.write(JSON.stringify(rows, null, 1) + '\n');
