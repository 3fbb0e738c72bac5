// SPDX-License-Identifier: Apache-2.0
// Asks the shipped EntryPoints 0.7 and 0.8 for the hashes of some user operations and prints one line each: version,
// chain id, entry point, then the packed fields, then the hash. Needs the npm packages of contracts/.
// Usage: node make_userop_vectors.mjs > userop_hashes.txt
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../../contracts/node_modules/', import.meta.url));
const port = 20000 + (process.pid % 20000);
const chainId = 31337;

// Bytes that follow from a name, so that the file can be made again.
function bytes(name, size) {
  let out = Buffer.alloc(0);
  for (let i = 0; out.length < size; i++) out = Buffer.concat([out, createHash('sha256').update(`${name}/${i}`).digest()]);
  return out.subarray(0, size);
}
const word = (n) => Buffer.from(BigInt(n).toString(16).padStart(64, '0'), 'hex');
const tail = (b) => Buffer.concat([word(b.length), b, Buffer.alloc((32 - (b.length % 32)) % 32)]);

// getUserOpHash((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes))
function call(op) {
  const tails = [op.initCode, op.callData, op.paymasterAndData, Buffer.from([1])].map(tail);
  const offsets = [];
  let at = 9 * 32;
  for (const t of tails) {
    offsets.push(word(at));
    at += t.length;
  }
  const head = [Buffer.concat([Buffer.alloc(12), op.sender]), op.nonce, offsets[0], offsets[1], op.accountGasLimits,
    op.preVerificationGas, op.gasFees, offsets[2], offsets[3]];
  return '0x22cdde4c' + Buffer.concat([word(32), ...head, ...tails]).toString('hex');
}

async function rpc(method, ...params) {
  const answer = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

const anvil = spawn(process.execPath, [`${modules}@foundry-rs/anvil/bin.mjs`, '--port', String(port), '--silent']);
try {
  for (let tries = 0; ; tries++) {
    try {
      await rpc('eth_chainId');
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  const [from] = await rpc('eth_accounts');
  console.log('# Hashes by the shipped EntryPoints; see make_userop_vectors.mjs');
  for (const [version, path] of [[7, 'aa07'], [8, '@account-abstraction/contracts']]) {
    const { bytecode } = JSON.parse(readFileSync(`${modules}${path}/artifacts/EntryPoint.json`, 'utf8'));
    const hash = await rpc('eth_sendTransaction', { from, data: bytecode, gas: '0x1c00000' });
    let receipt = null;
    while (receipt === null) receipt = await rpc('eth_getTransactionReceipt', hash);
    const entryPoint = receipt.contractAddress;
    for (let i = 0; i < 24; i++) {
      const name = `${version}/${i}`;
      // The first two bytes of init code are not those that mark an EIP-7702 account.
      const op = {
        sender: bytes(`${name}/sender`, 20), nonce: bytes(`${name}/nonce`, 32),
        initCode: i % 3 ? bytes(`${name}/init`, 17 * i) : Buffer.alloc(0), callData: bytes(`${name}/call`, 29 * i),
        accountGasLimits: bytes(`${name}/gas`, 32), preVerificationGas: bytes(`${name}/pre`, 32),
        gasFees: bytes(`${name}/fees`, 32), paymasterAndData: i % 2 ? bytes(`${name}/pay`, 52 + 5 * i) : Buffer.alloc(0),
      };
      const result = await rpc('eth_call', { to: entryPoint, data: call(op) }, 'latest');
      const fields = Object.values(op).map((b) => b.toString('hex') || '-');
      console.log([version, chainId, entryPoint.slice(2), ...fields, result.slice(2)].join(' '));
    }
  }
} finally {
  anvil.kill();
}
