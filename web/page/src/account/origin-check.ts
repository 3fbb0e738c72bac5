// SPDX-License-Identifier: Apache-2.0
// Whether the account that a node answered is the one that this page's keys make. The address commits to the init data
// (spec/wire-formats.md, section 2), so a node that put in another key, a guardian of its own or a shorter delay is
// found out here, before anybody sends anything to the address.
import { checksummed } from '../../../escape/src/core/bytes.mjs'
import { accountAddress, readInit } from '../../../escape/src/core/init-data.mjs'
import { Problem as CoreProblem } from '../../../escape/src/core/problem.mjs'
import { rpIdHash } from '../../../escape/src/core/signing.mjs'
import type { Chain, Wallet } from '../api/models'
import type { PasskeyPoint } from '../passkey/ceremony'
import { DifferenceFound } from './difference'

export type Difference =
  | 'origin-missing'
  | 'init-data-broken'
  | 'address-wrong'
  | 'address-of-chain-wrong'
  | 'passkey-count'
  | 'passkey-other'
  | 'relying-party-other'
  | 'server-key-other'
  | 'escape-key-other'
  | 'guardians-foreign'
  | 'recovery-delay-short'
  | 'factory-other'
  | 'adoption-other'

export class AccountRefused extends DifferenceFound<Difference> {
  override name = 'AccountRefused'
}

export interface Expected {
  readonly rpId: string
  /** Lower case. */
  readonly escapeKey: string
  /** Null when the passkey is to be proven by an assertion afterwards. */
  readonly passkey: PasskeyPoint | null
  readonly chains: readonly Chain[]
  readonly recoveryDelaySeconds: number
}

export interface InitData {
  readonly passkeys: readonly (readonly [bigint, bigint, string])[]
  readonly serverKey: string
  readonly escapeKey: string
  readonly guardiansHash: string
  readonly guardianThreshold: bigint
  readonly recoveryDelay: bigint
}

const ZERO_WORD = `0x${'00'.repeat(32)}`

function need(holds: boolean, difference: Difference, words = ''): asserts holds {
  if (!holds) throw new AccountRefused(difference, words)
}

function readKeys(initData: string): InitData {
  try {
    return readInit(initData.toLowerCase()) as unknown as InitData
  } catch (error) {
    if (error instanceof CoreProblem) throw new AccountRefused('init-data-broken', error.message)
    throw error
  }
}

// The chains of GET /api/v1/node are what the recovery file will name, so the account is of their factory.
function checkPlace(wallet: Wallet, origin: NonNullable<Wallet['origin']>, chains: readonly Chain[]) {
  const address = wallet.address.toLowerCase()
  const computed = accountAddress(
    origin.factory.toLowerCase(),
    origin.initData.toLowerCase(),
    origin.proxyInitCodeHash.toLowerCase(),
  ) as string
  need(computed === address, 'address-wrong', `${checksummed(computed)} instead of ${wallet.address}`)
  need(wallet.accounts.length > 0, 'address-of-chain-wrong', 'no chain')
  for (const account of wallet.accounts) {
    const chain = chains.find((one) => one.chainId === account.chainId)
    need(account.address.toLowerCase() === address, 'address-of-chain-wrong', `chain ${account.chainId}`)
    need(
      chain !== undefined &&
        chain.factory.toLowerCase() === origin.factory.toLowerCase() &&
        chain.entryPoint.toLowerCase() === origin.entryPoint.toLowerCase() &&
        chain.proxyInitCodeHash.toLowerCase() === origin.proxyInitCodeHash.toLowerCase(),
      'factory-other',
      `chain ${account.chainId}`,
    )
  }
}

/** The init data when it is what it must be. Throws AccountRefused with the first difference. */
export function checkAccount(wallet: Wallet, expected: Expected): InitData {
  const { origin } = wallet
  need(origin !== null, 'origin-missing')
  const init = readKeys(origin.initData)
  checkPlace(wallet, origin, expected.chains)

  // One passkey: a second one would be a second vote, of somebody else.
  need(init.passkeys.length === 1, 'passkey-count', `${init.passkeys.length}`)
  const [x, y, rpIdDigest] = init.passkeys[0] as readonly [bigint, bigint, string]
  const { passkey } = expected
  need(passkey === null || (x === passkey.x && y === passkey.y), 'passkey-other')
  need(rpIdDigest === rpIdHash(expected.rpId), 'relying-party-other', expected.rpId)
  need(init.serverKey === origin.serverKey.toLowerCase(), 'server-key-other')
  need(
    init.escapeKey === expected.escapeKey && origin.escapeKey.toLowerCase() === expected.escapeKey,
    'escape-key-other',
  )
  need(init.guardiansHash === ZERO_WORD && init.guardianThreshold === 0n, 'guardians-foreign')
  need(init.recoveryDelay >= BigInt(expected.recoveryDelaySeconds), 'recovery-delay-short', `${init.recoveryDelay} s`)
  return init
}
