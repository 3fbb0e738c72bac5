// SPDX-License-Identifier: Apache-2.0
// What a page computes before the passkey is touched, by npm viem: lines of transactions in, lines of digests out.
import readline from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../clients/x.js', import.meta.url));
const { hashTypedData } = require('viem');
const { getUserOperationHash } = require('viem/account-abstraction');

function digest(transaction) {
  if (transaction.typedData) return hashTypedData(transaction.typedData);
  const op = { ...transaction.userOperation, signature: '0x' };
  for (const [name, value] of Object.entries(op)) if (/^nonce$|Gas|Limit$/.test(name)) op[name] = BigInt(value);
  return getUserOperationHash({
    chainId: transaction.chainId, entryPointAddress: transaction.entryPoint, entryPointVersion: '0.8', userOperation: op,
  });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${digest(JSON.parse(line))}\n`);
}
