// SPDX-License-Identifier: Apache-2.0
// A person with their recovery file, as the escape page acts for them (web/escape/src/core): lines of JSON in, lines out.
// {escape: {key, chainId, account, keyEpoch, deadline, passkey, serverKey}} -> call data of escape;
// {finish: typedData} -> call data that finishes what waits; {adoption: {…}} -> the challenge that the page computes.
import readline from 'node:readline';
import { digestOf, finishCall, runCall } from '../../web/escape/src/core/actions.mjs';
import { concat, random, sha256, slice, uint, utf8 } from '../../web/escape/src/core/bytes.mjs';
import { keySignature } from '../../web/escape/src/core/signing.mjs';

const ESCAPE_SIGNER = 8;
const keyOf = ({ publicKey, rpIdHash }) => [BigInt(slice(publicKey, 0, 32)), BigInt(slice(publicKey, 32)), rpIdHash];

function escape({ key, chainId, account, keyEpoch, deadline, passkeys, serverKey }) {
  const values = [passkeys.map(keyOf), serverKey, 1n];
  const stamp = [BigInt(keyEpoch), BigInt(random(32)), BigInt(deadline)];
  const id = digestOf(BigInt(chainId), account, 'Escape', values, stamp);
  return runCall('Escape', values, stamp, [[ESCAPE_SIGNER, keySignature(key, id)]]);
}

function finish({ primaryType, message }) {
  const passkeys = (list) => list.map(({ x, y, rpIdHash }) => [BigInt(x), BigInt(y), rpIdHash]);
  const values = primaryType === 'Escape'
    ? [passkeys(message.passkeys), message.serverKey, BigInt(message.votes)]
    : [message.removed.map(BigInt), passkeys(message.added), message.serverKey, message.escapeKey, BigInt(message.votes)];
  return finishCall(primaryType, values, [message.keyEpoch, message.nonce, message.deadline].map(BigInt));
}

// spec/trusted-core-protocol.md, "Accounts that began elsewhere".
function adoption({ walletId, revision, chainId, account, serverKeyIndex }) {
  return sha256(concat(utf8('community account adoption'), `0x${walletId.replaceAll('-', '')}`, uint(revision, 8),
    uint(chainId, 8), account.toLowerCase(), uint(serverKeyIndex, 4)));
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer = asked.escape ? escape(asked.escape)
    : asked.finish ? finish(asked.finish) : adoption(asked.adoption);
  process.stdout.write(`${answer}\n`);
}
