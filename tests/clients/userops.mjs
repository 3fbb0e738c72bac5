// SPDX-License-Identifier: Apache-2.0
// Operations made by hand, without a client library in between.
import { concatHex, encodeFunctionData, parseAbi } from 'viem'
import { getUserOperationHash, toPackedUserOperation } from 'viem/account-abstraction'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { bundle, hexed, rpcOf, until } from './node.mjs'

export const sink = '0x00000000000000000000000000000000000d00d5'
export const dummySignature = '0x' + 'ff'.repeat(15) + 'f0' + '00'.repeat(16) + '7a' + 'aa'.repeat(31) + '1c'
const factoryAbi = parseAbi(['function createAccount(address owner, uint256 salt) returns (address)',
  'function getAddress(address owner, uint256 salt) view returns (address)'])
const accountAbi = parseAbi(['function execute(address dest, uint256 value, bytes func)'])
const entryPointAbi = parseAbi(['function getNonce(address sender, uint192 key) view returns (uint256)'])
export const execute = (to, value = 0n, data = '0x12345678') =>
  encodeFunctionData({ abi: accountAbi, functionName: 'execute', args: [to, value, data] })

export class SimpleAccount {
  static async make(context, version, salt = 0n) {
    const owner = privateKeyToAccount(generatePrivateKey())
    const factory = context.factories[version].address
    const address = await context.chain.client.readContract({ address: factory, abi: factoryAbi, functionName: 'getAddress', args: [owner.address, salt] })
    const account = new SimpleAccount()
    Object.assign(account, {
      context, version, owner, factory, address, entryPoint: bundle.entryPoints[version].address,
      rpc: rpcOf(context.node.urls.rpc), keys: 1n,
      factoryData: encodeFunctionData({ abi: factoryAbi, functionName: 'createAccount', args: [owner.address, salt] }),
    })
    return account
  }

  async isDeployed() { return Boolean(await this.context.chain.client.getCode({ address: this.address })) }
  // Next nonce of the key of `nonce`, as the chain has it.
  nonceAt(nonce) {
    return this.context.chain.client.readContract({ address: this.entryPoint, abi: entryPointAbi, functionName: 'getNonce', args: [this.address, nonce >> 64n] })
  }
  // A nonce key of its own for each call.
  freshNonce() { return this.keys++ << 64n }

  async fees() {
    const { fast } = await this.rpc('pimlico_getUserOperationGasPrice')
    return { maxFeePerGas: BigInt(fast.maxFeePerGas), maxPriorityFeePerGas: BigInt(fast.maxPriorityFeePerGas) }
  }

  async draft(fields = {}) {
    const deployed = await this.isDeployed()
    return {
      sender: this.address, nonce: this.freshNonce(), ...(deployed ? {} : { factory: this.factory, factoryData: this.factoryData }),
      callData: execute(sink), ...(await this.fees()), signature: dummySignature, ...fields,
    }
  }

  async estimate(op, overrides = {}) {
    const gas = await this.rpc('eth_estimateUserOperationGas', [hexed(op), this.entryPoint, overrides])
    return Object.fromEntries(Object.entries(gas).map(([k, v]) => [k, BigInt(v)]))
  }

  async sponsor(op, method) {
    const answer = await this.rpc(method, [hexed({ callGasLimit: 0n, verificationGasLimit: 0n, preVerificationGas: 0n, ...op }),
      this.entryPoint, '0x' + this.context.chain.chain.id.toString(16), null])
    const { paymaster, paymasterData, paymasterVerificationGasLimit, paymasterPostOpGasLimit } = answer
    return {
      paymaster, paymasterData, paymasterVerificationGasLimit: BigInt(paymasterVerificationGasLimit),
      paymasterPostOpGasLimit: BigInt(paymasterPostOpGasLimit),
    }
  }

  hash(op) {
    return getUserOperationHash({ userOperation: op, entryPointAddress: this.entryPoint, entryPointVersion: this.version, chainId: this.context.chain.chain.id })
  }
  async sign(op) {
    const hash = this.hash(op)
    return { ...op, signature: this.version === '0.7' ? await this.owner.signMessage({ message: { raw: hash } }) : await this.owner.sign({ hash }) }
  }

  // Draft, sponsorship, estimate and signature in the order of ERC-7677.
  async prepare({ sponsored = true, ...fields } = {}) {
    let op = await this.draft(fields)
    if (sponsored) op = { ...op, ...(await this.sponsor(op, 'pm_getPaymasterStubData')) }
    const gas = await this.estimate(op)
    op = { ...op, ...gas, ...(sponsored ? { paymasterVerificationGasLimit: op.paymasterVerificationGasLimit, paymasterPostOpGasLimit: op.paymasterPostOpGasLimit } : {}) }
    if (sponsored) op = { ...op, ...(await this.sponsor(op, 'pm_getPaymasterData')) }
    return this.sign(op)
  }

  send(op) { return this.rpc('eth_sendUserOperation', [hexed(op), this.entryPoint]) }
  receipt(hash) { return until(`receipt of ${hash}`, () => this.rpc('eth_getUserOperationReceipt', [hash])) }
  async run(options) {
    const op = await this.prepare(options)
    const hash = await this.send(op)
    return { op, hash, receipt: await this.receipt(hash) }
  }
  pack(op) { return toPackedUserOperation(op) }
}
export { concatHex }
