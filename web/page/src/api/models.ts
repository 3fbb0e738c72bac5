// SPDX-License-Identifier: Apache-2.0
// Short names for the API's objects.
import type { components } from '../generated/api'

type Schemas = components['schemas']
export type AccountOrigin = Schemas['AccountOrigin']
export type ActivityEntry = Schemas['ActivityEntry']
export type Arrival = Schemas['Arrival']
export type ArrivalOnChain = NonNullable<Arrival['onChain']>
export type BroughtEntry = Schemas['ImportedEntry']
export type Chain = Schemas['Chain']
export type CreationOptions = Schemas['CreationOptions']
export type RequestOptions = Schemas['RequestOptions']
export type RegistrationCredential = Schemas['RegistrationCredential']
export type AssertionCredential = Schemas['AssertionCredential']
export type Import = Schemas['Import']
export type KeyPlace = Schemas['KeyPlace']
export type LoggedIn = Schemas['LoggedIn']
export type NodeInfo = Schemas['Node']
export type Passkey = Schemas['Passkey']
export type PrivacyOverview = Schemas['PrivacyOverview']
export type Session = Schemas['Session']
export type TrustedCore = Schemas['TrustedCore']
export type User = Schemas['User']
export type Wallet = Schemas['Wallet']
