// SPDX-License-Identifier: Apache-2.0
// What a page computes before the passkey is touched, and what an application reads out of a signature, by npm viem:
// lines of transactions in, lines of digests out; {hash, signature} in, the address that signed out; {authorize} in, an
// authorization of EIP-7702 by a fresh key out; {multisig} in, the bytes of a multisig (spec/multisig.md) out; {newKey},
// {sign} and {escape} in, a recovery file's key, its signature, and the call that starts an escape (spec/account.md) out.
import readline from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../clients/x.js', import.meta.url));
const {
  concat, encodeAbiParameters, encodeFunctionData, getCreate2Address, hashMessage, hashStruct, hashTypedData, keccak256, parseAbi,
  parseAbiParameters, recoverAddress, serializeTransaction, sha256, stringToHex, toHex, zeroAddress,
} = require('viem');
const { generatePrivateKey, privateKeyToAccount } = require('viem/accounts');
const { getUserOperationHash } = require('viem/account-abstraction');

const CALL = 'struct Call { address to; uint256 value; bytes data; }';
const CALL_FIELDS = [{ name: 'to', type: 'address' }, { name: 'value', type: 'uint256' }, { name: 'data', type: 'bytes' }];
const abi = parseAbi([
  CALL, 'function createMultisig(bytes initData)', 'function propose(Call[] calls, uint256 salt, uint48 expiry)',
  'function approve(bytes32 id)', 'function execute(bytes32 proposer, Call[] calls, uint256 salt, uint48 expiry)',
  'function spend(address token, address to, uint256 amount)', 'function setDailyLimit(address token, uint112 perDay)',
]);
const encode = (functionName, ...args) => encodeFunctionData({ abi, functionName, args });
const values = (calls) => calls.map((one) => ({ ...one, value: BigInt(one.value) }));

// What makes a multisig, and its address; JSON, because it is two.
function init({ owners, threshold, limits, salt, chainId, factory, proxyInitCodeHash }) {
  const types = ['struct LimitRow { uint256 chainId; address token; uint256 perDay; }',
    'struct MultisigInit { bytes[] owners; uint8 threshold; LimitRow[] limits; uint256 salt; }'];
  const rows = limits.map((row) => ({ token: row.token, chainId: BigInt(chainId), perDay: BigInt(row.perDay) }));
  const data = encodeAbiParameters(parseAbiParameters(['MultisigInit init', ...types]),
    [{ owners, threshold, limits: rows, salt: BigInt(salt) }]);
  const address = getCreate2Address({ from: factory, salt: keccak256(data), bytecodeHash: proxyInitCodeHash });
  return JSON.stringify([address, data]);
}

function proposalId({ chainId, address, proposer, calls, salt, expiry }) {
  const hashes = values(calls).map((data) => hashStruct({ data, primaryType: 'Call', types: { Call: CALL_FIELDS } }));
  return keccak256(encodeAbiParameters(parseAbiParameters('uint256, address, bytes32, bytes32, uint256, uint48'),
    [BigInt(chainId), address, proposer, keccak256(concat(hashes)), BigInt(salt), expiry]));
}

function multisig(asked) {
  switch (asked.request) {
    case 'init':
      return init(asked);
    case 'create':
      return encode('createMultisig', asked.initData);
    case 'propose':
      return encode('propose', values(asked.calls), BigInt(asked.salt), asked.expiry);
    case 'proposal':
      return proposalId(asked);
    case 'approve':
      return encode('approve', asked.id);
    case 'execute':
      return encode('execute', asked.proposer, values(asked.calls), BigInt(asked.salt), asked.expiry);
    case 'spend':
      return encode('spend', asked.token ?? zeroAddress, asked.to, BigInt(asked.amount));
    default:
      return encode('setDailyLimit', asked.token ?? zeroAddress, BigInt(asked.amount));
  }
}

const named = (name, transaction) => [stringToHex(name), `0x${transaction.walletId.replaceAll('-', '')}`];

async function authorize(wanted) {
  const { address, chainId, nonce, yParity, r, s } = await privateKeyToAccount(generatePrivateKey()).signAuthorization(wanted);
  return JSON.stringify({ address, r, s, chainId: toHex(chainId), nonce: toHex(nonce), yParity: toHex(yParity) });
}

const ESCAPE = parseAbi([
  'struct Passkey { uint256 x; uint256 y; bytes32 rpIdHash; }', 'struct Stamp { uint32 keyEpoch; uint256 nonce; uint48 deadline; }',
  'struct Signature { uint8 signer; bytes data; }',
  'function escape(Passkey[] passkeys, address serverKey, uint8 votes, Stamp stamp, Signature[] signatures)',
]);
const ESCAPE_SIGNER = 8;
const fieldsOf = (text) => text.split(',').map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] }));

// By one vote, the recovery file's.
async function escape({ secret, chainId, account, passkeys, serverKey, keyEpoch, deadline }) {
  const nonce = BigInt(generatePrivateKey());
  const hash = hashTypedData({
    domain: { name: 'CommunityAccount', version: '1', chainId, verifyingContract: account },
    primaryType: 'Escape',
    types: {
      Passkey: fieldsOf('uint256 x,uint256 y,bytes32 rpIdHash'),
      Escape: fieldsOf('Passkey[] passkeys,address serverKey,uint8 votes,uint32 keyEpoch,uint256 nonce,uint48 deadline'),
    },
    message: { passkeys, serverKey, votes: 1, keyEpoch, nonce, deadline },
  });
  const data = await privateKeyToAccount(secret).sign({ hash });
  return encodeFunctionData({
    abi: ESCAPE,
    functionName: 'escape',
    args: [passkeys, serverKey, 1, { keyEpoch, nonce, deadline }, [{ signer: ESCAPE_SIGNER, data }]],
  });
}

// Nothing for what is asked otherwise.
async function ofRecoveryFile(asked) {
  if (asked.escape) return escape(asked.escape);
  if (asked.sign) return privateKeyToAccount(asked.sign.secret).sign({ hash: asked.sign.hash });
  if (!asked.newKey) return undefined;
  const secret = generatePrivateKey();
  return JSON.stringify({ secret, address: privateKeyToAccount(secret).address });
}

function digest(transaction) {
  if (transaction.multisig) return multisig(transaction.multisig);
  const { message, phrase, phraseExport } = transaction;
  if (message?.by === 'phrase' && message.personal) return hashMessage({ raw: message.personal });
  if (phrase) {
    const change = sha256(concat(['0x04', toHex(phrase.words, { size: 1 })]));
    return sha256(concat([...named('community wallet change', transaction), toHex(phrase.revision, { size: 8 }), change]));
  }
  if (transaction.eoa) {
    const { key: _, nonce, ...eoa } = transaction.eoa;
    for (const name of ['gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'value']) if (name in eoa) eoa[name] = BigInt(eoa[name]);
    eoa.authorizationList = eoa.authorizationList?.map((one) => ({
      ...one, chainId: Number(one.chainId), nonce: Number(one.nonce), yParity: Number(one.yParity),
    }));
    return keccak256(serializeTransaction({ ...eoa, nonce: Number(nonce), chainId: transaction.chainId }));
  }
  if (phraseExport) return sha256(concat([...named('community phrase export', transaction), phraseExport.recipient]));
  if (transaction.typedData) return hashTypedData(transaction.typedData);
  const op = { ...transaction.userOperation, signature: '0x' };
  for (const [name, value] of Object.entries(op)) if (/^nonce$|Gas|Limit$/.test(name)) op[name] = BigInt(value);
  return getUserOperationHash({
    chainId: transaction.chainId, entryPointAddress: transaction.entryPoint, entryPointVersion: '0.8', userOperation: op,
  });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const ofFile = await ofRecoveryFile(asked);
  if (ofFile) process.stdout.write(`${ofFile}\n`);
  else if (asked.authorize) process.stdout.write(`${await authorize(asked.authorize)}\n`);
  else process.stdout.write(`${asked.signature ? await recoverAddress(asked) : digest(asked)}\n`);
}
