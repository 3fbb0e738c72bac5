// SPDX-License-Identifier: Apache-2.0
// viem and permissionless as their users write it.
import { createPimlicoClient } from 'permissionless/clients/pimlico'
import { createSmartAccountClient } from 'permissionless'
import { toSimpleSmartAccount } from 'permissionless/accounts'
import { http, zeroHash } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createBundlerClient, createPaymasterClient, toSimple7702SmartAccount } from 'viem/account-abstraction'
import { bundle, equal, hexed, holds, rpcOf } from './node.mjs'
import { sink } from './userops.mjs'

export async function libraryTests({ node, chain, factories, test }) {
  const url = node.urls.rpc
  const rpc = rpcOf(url)
  const { client } = chain
  const paymaster = createPaymasterClient({ transport: http(url) })
  const account = (version) => toSimpleSmartAccount({
    client, owner: privateKeyToAccount(generatePrivateKey()), factoryAddress: factories[version].address,
    entryPoint: { address: bundle.entryPoints[version].address, version },
  })
  const bundler = (smart) => createBundlerClient({ account: smart, client, chain: chain.chain, transport: http(url), paymaster, pollingInterval: 100 })

  for (const version of ['0.7', '0.8']) {
    await test(`viem: undeployed account, paymaster, EntryPoint ${version}`, async () => {
      const bc = bundler(await account(version))
      const hash = await bc.sendUserOperation({ calls: [{ to: sink, value: 0n, data: '0x1234' }] })
      const receipt = await bc.waitForUserOperationReceipt({ hash, timeout: 60_000 })
      equal(receipt.success, true, 'success')
      equal(receipt.userOpHash, hash, 'hash')
      holds(receipt.paymaster, 'the receipt names the paymaster')
      const known = await bc.getUserOperation({ hash })
      equal(known.transactionHash, receipt.receipt.transactionHash, 'transaction')
      holds(known.userOperation.nonce >= 1n << 64n, "viem's nonces have more than 64 bits")
      equal(known.userOperation.nonce, BigInt(receipt.nonce), 'nonce')
      const again = await bc.sendUserOperation({ calls: [{ to: sink, value: 0n, data: '0x1234' }] })
      equal((await bc.waitForUserOperationReceipt({ hash: again, timeout: 60_000 })).success, true, 'second, deployed')
      equal((await bc.getSupportedEntryPoints()).length, 2, 'entry points')
      equal(await bc.getChainId(), chain.chain.id, 'chain id')
    })
  }

  await test('permissionless: smart account client, pimlico gas price, paymaster context', async () => {
    const entryPoint = { address: bundle.entryPoints['0.7'].address, version: '0.7' }
    const pimlico = createPimlicoClient({ chain: chain.chain, transport: http(url), entryPoint })
    const smart = createSmartAccountClient({
      account: await account('0.7'), chain: chain.chain, client, bundlerTransport: http(url), paymaster, pollingInterval: 100,
      paymasterContext: { policyId: 'demo' },
      userOperation: { estimateFeesPerGas: async () => (await pimlico.getUserOperationGasPrice()).fast },
    })
    const transaction = await smart.sendTransaction({ to: sink, value: 0n, data: '0x1234' })
    const receipt = await client.getTransactionReceipt({ hash: transaction })
    equal(receipt.status, 'success', 'status')
    const event = receipt.logs.find((log) => log.address.toLowerCase() === entryPoint.address.toLowerCase() && log.topics.length === 4)
    const status = await pimlico.getUserOperationStatus({ hash: event.topics[1] })
    equal(status.status, 'included', 'pimlico status')
    equal(status.transactionHash, transaction, 'pimlico transaction')
    equal((await pimlico.getUserOperationStatus({ hash: zeroHash })).status, 'not_found', 'unknown operation')
  })

  for (const version of ['0.7', '0.8']) {
    await test(`bad signature, EntryPoint ${version}: -32507 with AA24`, async () => {
      const bc = bundler(await account(version))
      const op = await bc.prepareUserOperation({ calls: [{ to: sink, value: 0n, data: '0x' }] })
      const signature = await privateKeyToAccount(generatePrivateKey()).signMessage({ message: 'x' })
      const wire = hexed({ ...op, account: undefined, authorization: undefined, signature })
      const error = await rpc('eth_sendUserOperation', [wire, bundle.entryPoints[version].address]).catch((e) => e)
      equal(error.code, -32507, 'code')
      holds(error.message.includes('AA24'), error.message)
      const viemError = await bc.request({ method: 'eth_sendUserOperation', params: [wire, bundle.entryPoints[version].address] }).catch((e) => e)
      holds(viemError instanceof Error, 'viem throws')
    })
  }

  await test('EIP-7702 operation: refused with a clear error for now', async () => {
    const owner = privateKeyToAccount(generatePrivateKey())
    const implementation = bundle.samples.SimpleAccountFactory['0.8'].address
    const smart = await toSimple7702SmartAccount({ client, owner, implementation })
    const bc = createBundlerClient({ account: smart, client, chain: chain.chain, transport: http(url), pollingInterval: 100 })
    const authorization = await owner.signAuthorization({ contractAddress: implementation, chainId: chain.chain.id, nonce: 0 })
    const error = await bc.sendUserOperation({ calls: [{ to: sink, value: 1n }], authorization }).catch((e) => e)
    holds(String(error.details ?? error.message).includes('EIP-7702'), String(error))
  })
}
