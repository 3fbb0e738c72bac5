// SPDX-License-Identifier: Apache-2.0
// What this browser must not lose between two loads of the page: a registration under way, and the escape keys whose
// recovery files were not saved yet. Kept in IndexedDB, in the clear, and deleted when they are of no more use.
import type { CreationOptions, RegistrationCredential, Wallet } from '../api/models'

export interface KeptPasskey {
  /** Decimal numbers. */
  readonly x: string
  readonly y: string
}

export interface RegistrationDraft {
  readonly email: string
  readonly username?: string
  readonly registrationId: string
  /** When the code was asked for, in milliseconds since 1970. */
  readonly askedAt: number
  readonly expiresAt: string
  /** Once the code was proven. */
  readonly options?: CreationOptions
  /** Once the passkey was made: sent again, unchanged, until the node answers. */
  readonly finish?: {
    readonly credential: RegistrationCredential
    readonly passkey: KeptPasskey
    readonly escapeSecret: string
    readonly deviceName: string
  }
}

/** An account that exists, and whose escape key is nowhere but here. */
export interface UnsavedKey {
  readonly userId: string
  readonly walletId: string
  readonly escapeSecret: string
  readonly rpId: string
  /** As the node answered it; checked again before a file is made of it. */
  readonly wallet: Wallet
  readonly passkey: KeptPasskey
  /** Time of the file, so that a reload makes the same bytes. */
  readonly createdAt: string
}

/** A second wallet under way: the request is repeated until the node answers. */
export interface WalletDraft {
  readonly userId: string
  readonly requestId: string
  readonly escapeSecret: string
  readonly alias?: string
}

/** A further passkey that was made in this browser: what it is was told by the browser, not by the node. */
export interface AddedPasskey extends KeptPasskey {
  readonly passkeyId: string
}

const DATABASE = 'airaccount'
const STORE = 'kept'

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('the database is blocked'))
  })
}

async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened()
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: 'strict' })
      const request = act(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onerror = () => reject(transaction.error)
      transaction.onabort = () => reject(transaction.error)
    })
  } finally {
    database.close()
  }
}

const get = <T>(key: string) => inStore<T | undefined>('readonly', (store) => store.get(key))
const put = (key: string, value: unknown) => inStore('readwrite', (store) => store.put(value, key))
const remove = (key: string) => inStore('readwrite', (store) => store.delete(key))

export const registrationDraft = {
  read: () => get<RegistrationDraft>('registration'),
  write: (draft: RegistrationDraft) => put('registration', draft),
  delete: () => remove('registration'),
}

export const walletDraft = {
  read: () => get<WalletDraft>('wallet'),
  write: (draft: WalletDraft) => put('wallet', draft),
  delete: () => remove('wallet'),
}

/** A recovery whose signatures are on their way from the guardians; no secrets. */
export interface RecoveryDraft {
  readonly walletId: string
  readonly chainId: number
  /** The request as the guardians have it. */
  readonly request: string
}
const recoveryName = (walletId: string, chainId: number) => `recovery ${walletId} ${chainId}`

export const recoveryDraft = {
  read: (walletId: string, chainId: number) => get<RecoveryDraft>(recoveryName(walletId, chainId)),
  write: (draft: RecoveryDraft) => put(recoveryName(draft.walletId, draft.chainId), draft),
  delete: (walletId: string, chainId: number) => remove(recoveryName(walletId, chainId)),
}

/** The same for an account on its way here. Until it is taken back: it tells whose new recovery file the account has. */
export interface ArrivalRecovery {
  readonly arrivalId: string
  readonly request: string
  /** By guardian, as they came in: they take days. */
  readonly signatures: ReadonlyMap<string, string>
}
const arrivalName = (arrivalId: string) => `arrival recovery ${arrivalId}`

export const arrivalRecovery = {
  read: (arrivalId: string) => get<ArrivalRecovery>(arrivalName(arrivalId)),
  write: (draft: ArrivalRecovery) => put(arrivalName(draft.arrivalId), draft),
  delete: (arrivalId: string) => remove(arrivalName(arrivalId)),
}

const addedName = (passkeyId: string) => `added ${passkeyId}`

/** No secrets; a few dozen bytes each, deleted with their passkeys. */
export const addedPasskeys = {
  read: (passkeyId: string) => get<AddedPasskey>(addedName(passkeyId)),
  write: (added: AddedPasskey) => put(addedName(added.passkeyId), added),
  delete: (passkeyId: string) => remove(addedName(passkeyId)),
}

const unsavedName = (walletId: string) => `unsaved ${walletId}`

export const unsavedKeys = {
  read: (walletId: string) => get<UnsavedKey>(unsavedName(walletId)),
  write: (key: UnsavedKey) => put(unsavedName(key.walletId), key),
  delete: (walletId: string) => remove(unsavedName(walletId)),
  async list(): Promise<UnsavedKey[]> {
    const range = IDBKeyRange.bound('unsaved ', 'unsaved \uffff')
    return inStore('readonly', (store) => store.getAll(range) as IDBRequest<UnsavedKey[]>)
  },
}
