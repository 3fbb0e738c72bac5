// SPDX-License-Identifier: Apache-2.0
// Estimates are sufficient (the operation sent with exactly these limits succeeds) and tight (the least limits that the
// real EntryPoint accepts, found by bisection with the real signature, are close below).
import { concatHex, decodeErrorResult, encodeFunctionData, pad, toHex } from 'viem'
import { bundle, equal, holds } from './node.mjs'
import { SimpleAccount, execute, sink } from './userops.mjs'

// A contract whose call with n > 0 calls itself with n - 1 and all gas and reverts when that fails; at n = 0 it writes
// four fresh slots chosen by the gas left. EIP-150 keeps a 64th part back at every level.
function assemble() {
  const head = ['5f35', '80', '15', '60LL', '57', '6001', '90', '03', '5f', '52', '5f', '5f', '6020', '5f', '5f', '30', '5a', 'f1', '60EE', '57', '5f', '5f', 'fd']
  const size = (list) => list.join('').length / 2
  const end = size(head)
  const tail = ['5b', '00']
  const leaf = end + size(tail)
  const write = ['5a', '6001', '90', '55']
  const body = [...head, ...tail, '5b', ...write, ...write, ...write, ...write, '00'].join('')
  return '0x' + body.replace('LL', leaf.toString(16).padStart(2, '0')).replace('EE', end.toString(16).padStart(2, '0'))
}

async function deployBurner(chain) {
  const runtime = assemble()
  const size = (runtime.length - 2) / 2
  // push size, dup, push 9, push 0, codecopy, push 0, return: nine bytes, then the code itself.
  const init = concatHex(['0x60' + size.toString(16).padStart(2, '0') + '8060095f395ff3', runtime])
  const receipt = await chain.send({ data: init })
  holds((await chain.client.getCode({ address: receipt.contractAddress })) === runtime, 'the burner is deployed')
  return receipt.contractAddress
}

export async function estimateTests(context) {
  const { test, chain } = context
  const burnerAddress = await deployBurner(chain)

  // The EntryPoint's answer to the packed operation alone: '' or the AA text; undefined when only the execution failed.
  const accepts = async (account, op) => {
    const abi = bundle.entryPoints[account.version].abi
    const caller = '0x00000000000000000000000000000000000c0de5'
    const data = encodeFunctionData({ abi, functionName: 'handleOps', args: [[account.pack(op)], caller] })
    const trace = await chain.rpc('debug_traceCall', [{ from: caller, to: account.entryPoint, data, gas: '0x1c9c380' }, 'latest', { tracer: 'callTracer', tracerConfig: { withLog: true } }])
    if (trace.error) {
      try { return decodeErrorResult({ abi, data: trace.output }).args[1] } catch { return trace.error }
    }
    const topic = '0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f'
    const find = (frame) => [...(frame.logs ?? []), ...(frame.calls ?? []).flatMap(find)]
    const event = find(trace).find((log) => log.topics[0] === topic)
    return BigInt('0x' + event.data.slice(66, 130)) === 1n ? '' : 'execution failed'
  }
  // Least value of one limit with which the operation still goes through.
  const least = async (account, op, field) => {
    let low = 0n
    let high = op[field]
    while (high - low > 200n) {
      const middle = (low + high) / 2n
      const tried = await account.sign({ ...op, [field]: middle })
      // A changed paymaster field breaks the sponsorship, which the EntryPoint says only after the limits held: AA34.
      const answer = await accepts(account, tried)
      if (answer === '' || answer.startsWith('AA34')) high = middle
      else low = middle
    }
    return high
  }
  const percent = (estimate, minimum) => (minimum === 0n ? 'none needed' : `+${Number(((estimate - minimum) * 1000n) / minimum) / 10} %`)

  for (const version of ['0.7', '0.8']) {
    for (const sponsored of [true, false]) {
      await test(`EntryPoint ${version}, ${sponsored ? 'sponsored' : 'self-paid'}: undeployed, deployed, nested calls`, async () => {
        const account = await SimpleAccount.make(context, version)
        if (!sponsored) await chain.send({ to: account.address, value: '0x8ac7230489e80000' })
        const words = []
        for (const [what, callData] of [['undeployed', execute(sink)], ['deployed', execute(sink)], ['nested', execute(burnerAddress, 0n, pad(toHex(12)))]]) {
          const op = await account.prepare({ sponsored, callData })
          equal(await accepts(account, op), '', `${what} passes with the estimate`)
          const verification = await least(account, op, 'verificationGasLimit')
          const call = sponsored ? undefined : await least(account, op, 'callGasLimit')
          holds(op.verificationGasLimit * 100n <= verification * 125n, `${what}: verification ${op.verificationGasLimit}, least ${verification}`)
          words.push(`${what} verification ${percent(op.verificationGasLimit, verification)}${call === undefined ? '' : `, call ${percent(op.callGasLimit, call)}`}`)
          if (call !== undefined) holds(op.callGasLimit <= 9_000n || op.callGasLimit * 100n <= call * 125n, `${what}: call ${op.callGasLimit}, least ${call}`)
          const hash = await account.send(op)
          const receipt = await account.receipt(hash)
          equal(receipt.success, true, `${what} succeeds on chain`)
        }
        return words.join('; ')
      })
    }
  }

  await test('what operations of one shape are given does not hang on the one before', async () => {
    const account = await SimpleAccount.make(context, '0.8')
    await chain.send({ to: account.address, value: '0x8ac7230489e80000' })
    await account.receipt(await account.send(await account.prepare({ sponsored: false, callData: execute(sink) })))
    const words = []
    // The same bytes in length and selector; a first payment to an address takes 25,000 gas more than a further one.
    const stranger = () => toHex(crypto.getRandomValues(new Uint8Array(20)))
    const friend = stranger()
    for (const to of [friend, friend, friend, stranger(), friend, stranger(), stranger()]) {
      const op = await account.prepare({ sponsored: false, callData: execute(to, 1n) })
      equal(await accepts(account, op), '', 'it passes with the estimate')
      // Assumed state, of an address that has no part in it, is estimated by itself.
      const alone = await account.estimate(op, { [stranger()]: { balance: '0x1' } })
      for (const limit of ['callGasLimit', 'verificationGasLimit']) {
        const most = (alone[limit] * 110n) / 100n + 2_000n
        holds(op[limit] <= most, `${limit} ${op[limit]}, alone ${alone[limit]}`)
      }
      words.push(`call ${op.callGasLimit} of ${alone.callGasLimit}`)
      equal((await account.receipt(await account.send(op))).success, true, 'it succeeds on chain')
    }
    return words.join(', ')
  })

  await test("the paymaster's gas constants: estimate within them, not far below", async () => {
    const words = []
    for (const [version, bytes] of [['0.7', 2_000], ['0.8', 2_000], ['0.7', 40_000], ['0.8', 40_000]]) {
      const account = await SimpleAccount.make(context, version)
      const draft = await account.draft({ callData: execute(sink, 0n, toHex(new Uint8Array(bytes).fill(7))) })
      const op = { ...draft, ...(await account.sponsor(draft, 'pm_getPaymasterStubData')) }
      const gas = await account.estimate(op)
      holds(gas.paymasterVerificationGasLimit <= op.paymasterVerificationGasLimit, `${version}: ${gas.paymasterVerificationGasLimit} over the constant ${op.paymasterVerificationGasLimit}`)
      equal(gas.paymasterPostOpGasLimit, 0n, 'no postOp')
      words.push(`${version} ${gas.paymasterVerificationGasLimit} of ${op.paymasterVerificationGasLimit}`)
    }
    return words.join(', ')
  })
}
