// SPDX-License-Identifier: Apache-2.0
import { deviceName } from '../account/device-name'
import { call } from '../api/client'
import { session } from '../state/session.svelte'
import { assertionJson, usePasskey } from './ceremony'

/** A challenge, the person's touch, and a session. Throws PasskeyFailure and Problem. */
export async function logIn(options: { inField?: boolean; signal?: AbortSignal }): Promise<void> {
  const challenge = await call('post', '/api/v1/session/challenge', { body: {} })
  const used = await usePasskey(challenge, options)
  const body = { credential: assertionJson(used), deviceName: deviceName() }
  session.enter(await call('post', '/api/v1/session', { body }))
}
