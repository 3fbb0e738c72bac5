// SPDX-License-Identifier: Apache-2.0
// Writes cases.json: calls of tokens encoded by npm viem, with what each means, for community/transactions.
//   node make_cases.mjs > cases.json      (viem beside the working directory, as tests/clients has it)
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'x.js'));
const { encodeFunctionData, parseAbi } = require('viem');

const account = '0x00000000000000000000000000000000000a11ce';
const token = '0x00000000000000000000000000000000000070c0';
const bob = '0x1111000000000000000000000000000000002222';
const carol = '0x00000000000000000000000000000000000ca401';
const most = 2n ** 256n - 1n;
const v27 = [27, `0x${'11'.repeat(32)}`, `0x${'22'.repeat(32)}`];

const forms = [
  ['transfer(address,uint256)', [bob, 5n], { meaning: 'tokenTransfer', from: account, counterparty: bob, amount: '5' }],
  ['transfer(address,uint256)', [bob, most],
    { meaning: 'tokenTransfer', from: account, counterparty: bob, amount: most.toString() }],
  ['transferFrom(address,address,uint256)', [carol, bob, 7n],
    { meaning: 'tokenTransferFrom', from: carol, counterparty: bob, amount: '7' }],
  ['safeTransferFrom(address,address,uint256)', [account, bob, 7n],
    { meaning: 'tokenTransferFrom', from: account, counterparty: bob, amount: '7' }],
  ['safeTransferFrom(address,address,uint256,bytes)', [account, bob, 7n, '0x1234'],
    { meaning: 'tokenTransferFrom', from: account, counterparty: bob, amount: '7' }],
  ['approve(address,uint256)', [bob, 9n],
    { meaning: 'allowance', from: account, counterparty: bob, amount: '9', permission: true }],
  ['approve(address,uint256)', [bob, 0n], { meaning: 'allowance', counterparty: bob, amount: '0', permission: false }],
  ['approve(address,uint256)', [bob, most], { meaning: 'allowance', counterparty: bob, permission: true, unlimited: true }],
  ['approve(address,uint256)', [bob, 2n ** 255n], { meaning: 'allowance', permission: true, unlimited: true }],
  ['approve(address,uint256)', [bob, 2n ** 255n - 1n], { meaning: 'allowance', permission: true, unlimited: false }],
  ['increaseAllowance(address,uint256)', [bob, 1n], { meaning: 'allowanceIncrease', amount: '1', permission: true }],
  ['decreaseAllowance(address,uint256)', [bob, 1n], { meaning: 'allowanceDecrease', amount: '1', permission: false }],
  ['permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', [account, bob, 3n, 4n, ...v27],
    { meaning: 'permit', from: account, counterparty: bob, amount: '3', permission: true }],
  ['permit(address,address,uint256,uint256,bytes)', [account, bob, most, 4n, '0xab'],
    { meaning: 'permit', from: account, counterparty: bob, permission: true, unlimited: true }],
  ['permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)', [account, bob, 0n, 0n, true, ...v27],
    { meaning: 'permit', from: account, counterparty: bob, permission: true, unlimited: true }],
  ['permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)', [account, bob, 0n, 0n, false, ...v27],
    { meaning: 'permit', counterparty: bob, amount: '0', permission: false }],
  ['setApprovalForAll(address,bool)', [bob, true], { meaning: 'operatorApproval', counterparty: bob, permission: true }],
  ['setApprovalForAll(address,bool)', [bob, false], { meaning: 'operatorApproval', counterparty: bob, permission: false }],
  ['safeTransferFrom(address,address,uint256,uint256,bytes)', [account, bob, 8n, 2n, '0x'],
    { meaning: 'multiTransfer', from: account, counterparty: bob, tokenId: '8', amount: '2' }],
  ['safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)', [account, bob, [1n, 2n, 3n], [4n, 5n, 6n], '0x'],
    { meaning: 'multiBatchTransfer', from: account, counterparty: bob, count: 3 }],
  ['authorizeOperator(address)', [bob], { meaning: 'unreadableTokenCall' }],
  ['burn(uint256)', [1n], { meaning: 'unreadableTokenCall' }],
  ['swapExactTokensForTokens(uint256,uint256,address[],address,uint256)', [1n, 2n, [token], account, 3n],
    { meaning: 'contractCall' }],
];

const cases = forms.map(([signature, args, expect]) => {
  const functionName = signature.slice(0, signature.indexOf('('));
  const data = encodeFunctionData({ abi: parseAbi([`function ${signature}`]), functionName, args });
  return { signature, to: token, value: '0', data, expect };
});
const transfer = cases[0].data;
// Bytes that a contract may take and that are not the function's one encoding.
cases.push(
  { signature: 'transfer with a byte behind', to: token, value: '0', data: `${transfer}00`, expect: { meaning: 'unreadableTokenCall' } },
  { signature: 'transfer cut short', to: token, value: '0', data: transfer.slice(0, -2), expect: { meaning: 'unreadableTokenCall' } },
  { signature: 'transfer to a dirty address', to: token, value: '0',
    data: `${transfer.slice(0, 10)}ff${transfer.slice(12)}`, expect: { meaning: 'unreadableTokenCall' } },
  { signature: 'a payment', to: bob, value: '12', data: '0x', expect: { meaning: 'payment', from: account, counterparty: bob, amount: '12' } },
  { signature: 'three bytes', to: bob, value: '0', data: '0xa9059c', expect: { meaning: 'contractCall' } },
  { signature: 'the account itself', to: account, value: '0', data: transfer, expect: { meaning: 'selfCall' } },
  { signature: 'a payment to itself', to: account, value: '1', data: '0x', expect: { meaning: 'selfCall' } },
);
process.stdout.write(`${JSON.stringify({ account, cases }, null, 1)}\n`);
