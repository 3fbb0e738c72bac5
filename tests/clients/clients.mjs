// SPDX-License-Identifier: Apache-2.0
// The node under unchanged viem and permissionless, and under hostile hands: node clients.mjs BUILD
import { chainOf, deploySimpleFactory, harness, startNode } from './node.mjs'
import { libraryTests } from './libraries.mjs'
import { estimateTests } from './estimates.mjs'
import { poolTests } from './pool.mjs'
import { surfaceTests } from './surface.mjs'

const node = await startNode(process.argv[2] ?? 'build/dev')
const run = harness()
let code = 1
try {
  const chain = await chainOf(node.urls.chain)
  const context = { node, chain, test: run.test, factories: {} }
  for (const version of ['0.7', '0.8']) context.factories[version] = await deploySimpleFactory(chain, version)
  await surfaceTests(context)
  await libraryTests(context)
  await poolTests(context)
  await estimateTests(context)
  code = run.end()
  if (code !== 0) console.log(node.log.slice(-4_000))
} catch (error) {
  console.log(String(error.stack ?? error))
  console.log(node.log.slice(-4_000))
} finally {
  await node.stop()
}
process.exit(code)
