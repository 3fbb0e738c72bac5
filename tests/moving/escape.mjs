// SPDX-License-Identifier: Apache-2.0
// A person with their recovery file or their guardians, as the pages act for them (web/escape/src/core): lines of JSON in,
// lines out. {escape: {key, chainId, account, keyEpoch, deadline, passkey, serverKey}} -> call data of escape;
// {finish: typedData} -> call data that finishes what waits; {adoption: {…}} -> the challenge that the page computes;
// {guardians: addresses} -> their list with its hash; {recover: {…, list, signers}} -> call data of recover, signed by these
// keys, with its digest, and what an account that is a guardian calls instead.
import readline from 'node:readline';
import { call, encode } from '../../web/escape/src/core/abi.mjs';
import { digestOf, finishCall, runCall } from '../../web/escape/src/core/actions.mjs';
import { concat, keccak, random, sha256, slice, uint, utf8 } from '../../web/escape/src/core/bytes.mjs';
import { addressOf, keySignature } from '../../web/escape/src/core/signing.mjs';

const ESCAPE_SIGNER = 8;
const keyOf = ({ publicKey, rpIdHash }) => [BigInt(slice(publicKey, 0, 32)), BigInt(slice(publicKey, 32)), rpIdHash];

function escape({ key, chainId, account, keyEpoch, deadline, passkeys, serverKey }) {
  const values = [passkeys.map(keyOf), serverKey, 1n];
  const stamp = [BigInt(keyEpoch), BigInt(random(32)), BigInt(deadline)];
  const id = digestOf(BigInt(chainId), account, 'Escape', values, stamp);
  return runCall('Escape', values, stamp, [[ESCAPE_SIGNER, keySignature(key, id)]]);
}

function guardians(addresses) {
  const order = (one, other) => (keccak(one) < keccak(other) ? -1 : 1);
  const list = { salt: random(32), guardians: addresses.map((one) => one.toLowerCase()).sort(order) };
  return { ...list, hash: keccak(encode('(bytes32,bytes[])', [list.salt, list.guardians])) };
}

function recover({ list, signers, chainId, account, keyEpoch, nonce, deadline, passkeys, serverKey, escapeKey }) {
  const values = [passkeys.map(keyOf), serverKey.toLowerCase(), escapeKey.toLowerCase()];
  const stamp = [BigInt(keyEpoch), BigInt(nonce), BigInt(deadline)];
  const digest = digestOf(BigInt(chainId), account.toLowerCase(), 'Recover', values, stamp);
  const signed = new Map(signers.map((key) => [addressOf(key), keySignature(key, digest)]));
  const proof = [list.salt, list.guardians, list.guardians.map((one) => signed.get(one) ?? '0x')];
  return { digest, approval: call('approve(bytes32)', digest), data: runCall('Recover', values, stamp, proof) };
}

function finish({ primaryType, message }) {
  const passkeys = (list) => list.map(({ x, y, rpIdHash }) => [BigInt(x), BigInt(y), rpIdHash]);
  const contents = {
    Escape: () => [passkeys(message.passkeys), message.serverKey, BigInt(message.votes)],
    Recover: () => [passkeys(message.passkeys), message.serverKey, message.escapeKey],
    ChangeKeys: () =>
      [message.removed.map(BigInt), passkeys(message.added), message.serverKey, message.escapeKey, BigInt(message.votes)],
  };
  const values = contents[primaryType]();
  return finishCall(primaryType, values, [message.keyEpoch, message.nonce, message.deadline].map(BigInt));
}

// spec/trusted-core-protocol.md, "Accounts that began elsewhere".
function adoption({ walletId, revision, chainId, account, serverKeyIndex }) {
  return sha256(concat(utf8('community account adoption'), `0x${walletId.replaceAll('-', '')}`, uint(revision, 8),
    uint(chainId, 8), account.toLowerCase(), uint(serverKeyIndex, 4)));
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const [[name, about]] = Object.entries(asked);
  const answer = { escape, finish, adoption, guardians, recover }[name](about);
  process.stdout.write(`${typeof answer === 'string' ? answer : JSON.stringify(answer)}\n`);
}
