// SPDX-License-Identifier: Apache-2.0
// Nonces, replacement, reverts and sponsorship, seen from outside.
import { bundle, equal, hexed, holds, until } from './node.mjs'
import { SimpleAccount, execute, sink } from './userops.mjs'

export async function poolTests(context) {
  const { test, chain } = context

  await test('two operations of one nonce key without waiting in between', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    await account.run()
    const key = account.freshNonce()
    const first = await account.prepare({ nonce: key })
    const second = await account.sign({ ...first, nonce: key + 1n, ...(await account.sponsor({ ...first, nonce: key + 1n }, 'pm_getPaymasterData')) })
    const hashes = [await account.send(first), await account.send(second)]
    for (const hash of hashes) equal((await account.receipt(hash)).success, true, hash)
    const gap = await account.sign({ ...first, nonce: key + 9n, ...(await account.sponsor({ ...first, nonce: key + 9n }, 'pm_getPaymasterData')) })
    const error = await account.send(gap).catch((e) => e)
    equal(error.code, -32500, error.message)
    holds(error.message.includes('AA25'), error.message)
    const used = await account.send(first).catch((e) => e)
    holds(used === hashes[0] || used.message?.includes('AA25'), 'the same operation again is harmless')
  })

  await test('replacement needs ten percent more of both fees', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    await account.run()
    await chain.rpc('evm_setIntervalMining', [0]).catch(() => {})
    try {
      // An operation that pays less than the base fee of the moment would be refused, so one that is alone suffices: the
      // replacement is tried at once.
      const nonce = account.freshNonce()
      const op = await account.prepare({ nonce })
      const dear = { ...op, maxFeePerGas: (op.maxFeePerGas * 105n) / 100n, maxPriorityFeePerGas: (op.maxPriorityFeePerGas * 105n) / 100n }
      const resigned = await account.sign({ ...dear, ...(await account.sponsor(dear, 'pm_getPaymasterData')) })
      const hash = await account.send(op)
      const error = await account.send(resigned).catch((e) => e)
      equal(error.code, -32602, error.message)
      holds(/10 %|already in a transaction/.test(error.message), error.message)
      await chain.rpc('evm_setIntervalMining', [1])
      equal((await account.receipt(hash)).success, true, 'the first one')
    } finally {
      await chain.rpc('evm_setIntervalMining', [1]).catch(() => {})
    }
  })

  await test('the same operation twice has one hash and one inclusion', async () => {
    const account = await SimpleAccount.make(context, '0.7')
    const op = await account.prepare()
    const [a, b] = await Promise.all([account.send(op), account.send(op)])
    equal(a, b, 'hash')
    equal((await account.receipt(a)).success, true, 'success')
    equal(await account.send(op), a, 'afterwards')
  })

  await test('an execution that would revert is refused by the estimate with its reason', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    const draft = await account.draft({ callData: execute(bundle.entryPoints['0.8'].address, 0n, '0xdeadbeef') })
    const op = { ...draft, ...(await account.sponsor(draft, 'pm_getPaymasterStubData')) }
    const error = await account.rpc('eth_estimateUserOperationGas', [hexed(op), account.entryPoint]).catch((e) => e)
    equal(error.code, -32521, error.message)
    holds(error.message.startsWith('execution reverted'), error.message)
  })

  await test('an execution that reverts on chain is told with its reason, and pays', async () => {
    const account = await SimpleAccount.make(context, '0.7')
    await account.run()
    const op = await account.prepare()
    const bad = { ...op, callData: execute(account.factory, 0n, '0xdeadbeef'), callGasLimit: 100_000n }
    const signed = await account.sign({ ...bad, ...(await account.sponsor(bad, 'pm_getPaymasterData')) })
    const receipt = await account.receipt(await account.send(signed))
    equal(receipt.success, false, 'success')
    holds(BigInt(receipt.actualGasCost) > 0n, 'cost')
    const status = await account.rpc('pimlico_getUserOperationStatus', [receipt.userOpHash])
    equal(status.status, 'reverted', 'pimlico status')
  })

  await test('an account pays for itself from its balance', async () => {
    const account = await SimpleAccount.make(context, '0.7')
    await chain.send({ to: account.address, value: '0xde0b6b3a7640000' })
    const { receipt } = await account.run({ sponsored: false, callData: execute(sink, 5n, '0x') })
    equal(receipt.success, true, 'success')
    equal(receipt.paymaster, undefined, 'paymaster')
  })

  await test('an account without money and sponsor is refused: AA21', async () => {
    const account = await SimpleAccount.make(context, '0.7')
    const error = await account.prepare({ sponsored: false }).catch((e) => e)
    equal(error.code, -32500, error.message)
    holds(error.message.includes('AA21'), error.message)
  })

  await test('a sponsorship of other terms is refused: AA34', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    const op = await account.prepare()
    const changed = await account.sign({ ...op, callData: execute(sink, 0n, '0x99') })
    const error = await account.send(changed).catch((e) => e)
    equal(error.code, -32507, error.message)
    holds(error.message.includes('AA34'), error.message)
  })

  await test('stub and real paymaster data have 77 bytes', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    const op = await account.draft({ callGasLimit: 50_000n, verificationGasLimit: 500_000n, preVerificationGas: 100_000n })
    for (const method of ['pm_getPaymasterStubData', 'pm_getPaymasterData'])
      equal((await account.sponsor(op, method)).paymasterData.length, 2 + 2 * 77, method)
  })

  await test('the bundler never pays for an operation: bundles of one and of many', async () => {
    const words = []
    for (const version of ['0.7', '0.8']) {
      const accounts = await Promise.all(Array.from({ length: 6 }, () => SimpleAccount.make(context, version)))
      const transactions = new Map()
      const account = await SimpleAccount.make(context, version)
      const single = await account.run()
      const ops = []
      for (const one of accounts) ops.push([one, await one.prepare()])
      const hashes = await Promise.all(ops.map(([one, op]) => one.send(op)))
      const receipts = [single.receipt, ...(await Promise.all(hashes.map((hash, i) => accounts[i].receipt(hash))))]
      for (const receipt of receipts) {
        const known = transactions.get(receipt.receipt.transactionHash) ?? { cost: 0n, count: 0, receipt: receipt.receipt }
        known.cost += BigInt(receipt.actualGasCost)
        known.count++
        transactions.set(receipt.receipt.transactionHash, known)
      }
      for (const { cost, count, receipt } of transactions.values()) {
        const paid = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
        holds(cost >= paid, `a bundle of ${count} cost ${paid} and earned ${cost}`)
        words.push(`${version} x${count} +${Number(((cost - paid) * 1000n) / paid) / 10} %`)
      }
    }
    return words.join(', ')
  })
  await until('the pool is empty', async () => (await (await fetch(context.node.urls.rpc + '/metrics')).text()).includes('community_pool_userops{status="waiting"} 0'))
}
