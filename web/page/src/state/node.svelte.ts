// SPDX-License-Identifier: Apache-2.0
// What the node says of itself, asked once for each load of the page.
import { call } from '../api/client'
import type { Chain, NodeInfo } from '../api/models'

let info = $state<NodeInfo | null>(null)
let failure = $state<unknown>(null)
let asking: Promise<NodeInfo> | null = null

async function ask(): Promise<NodeInfo> {
  try {
    info = await call('get', '/api/v1/node', {})
    failure = null
    return info
  } catch (error) {
    failure = error
    asking = null
    throw error
  }
}

export const node = {
  get info() {
    return info
  },
  get failure() {
    return failure
  },
  /** Answers what is known, or asks. */
  known(): Promise<NodeInfo> {
    asking ??= ask()
    return asking
  },
  chain(chainId: number): Chain | undefined {
    return info?.chains.find((chain) => chain.chainId === chainId)
  },
}
