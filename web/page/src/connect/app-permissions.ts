// SPDX-License-Identifier: Apache-2.0
// What the person lets web apps of others do, at the node.
import { call } from '../api/client'
import type { components } from '../generated/api'

export type AppPermission = components['schemas']['AppPermission']

export const listPermissions = async (): Promise<readonly AppPermission[]> =>
  (await call('get', '/api/v1/app-permissions', {})).permissions

export const connectApp = (origin: string, walletId: string, chainId: number): Promise<AppPermission> =>
  call('post', '/api/v1/app-permissions', { body: { origin, walletId, chainId } })

export const disconnectApp = ({ permissionId }: AppPermission): Promise<unknown> =>
  call('delete', '/api/v1/app-permissions/{permissionId}', { path: { permissionId } })

/** The app may ask what became of it. */
export const noteCalls = ({ permissionId }: AppPermission, transactionId: string): Promise<unknown> =>
  call('post', '/api/v1/app-permissions/{permissionId}/calls', { path: { permissionId }, body: { transactionId } })

export const issueToken = ({ permissionId }: AppPermission, grantId: string) =>
  call('post', '/api/v1/app-permissions/{permissionId}/tokens', { path: { permissionId }, body: { grantId } })
