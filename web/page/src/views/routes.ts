// SPDX-License-Identifier: Apache-2.0
// Paths of the page and what shows there. Each view but the first is code of its own, loaded when it is wanted.
// A later view is a row here and an entry in NAVIGATION.
import type { Component } from 'svelte'
import * as m from '../generated/words/messages.js'
import type { IconName } from '../ui/icons'

// biome-ignore lint/suspicious/noExplicitAny: a view takes the parameters of its own path.
type View = Component<any>

export interface Route {
  readonly path: string
  readonly load: () => Promise<{ default: View }>
  /** Views of a person need a session; those of strangers send a person home. */
  readonly who: 'anybody' | 'person' | 'stranger'
}

export const ROUTES: readonly Route[] = [
  { path: '/register', who: 'stranger', load: () => import('./Register.svelte') },
  { path: '/login', who: 'stranger', load: () => import('./LogIn.svelte') },
  { path: '/why', who: 'anybody', load: () => import('./Why.svelte') },
  { path: '/trust', who: 'anybody', load: () => import('./Trust.svelte') },
  { path: '/home', who: 'person', load: () => import('./Home.svelte') },
  { path: '/send', who: 'person', load: () => import('./Send.svelte') },
  { path: '/transactions', who: 'person', load: () => import('./History.svelte') },
  { path: '/transactions/{transactionId}', who: 'person', load: () => import('./Transaction.svelte') },
  { path: '/limits', who: 'person', load: () => import('./Limits.svelte') },
  { path: '/waiting', who: 'person', load: () => import('./Waiting.svelte') },
  { path: '/sign', who: 'person', load: () => import('./Sign.svelte') },
  { path: '/receive', who: 'person', load: () => import('./Receive.svelte') },
  { path: '/multisigs', who: 'person', load: () => import('./Multisigs.svelte') },
  { path: '/multisigs/new', who: 'person', load: () => import('./NewMultisig.svelte') },
  { path: '/multisigs/{multisigId}', who: 'person', load: () => import('./Multisig.svelte') },
  { path: '/wallets', who: 'person', load: () => import('./Wallets.svelte') },
  { path: '/wallets/new', who: 'person', load: () => import('./NewWallet.svelte') },
  { path: '/wallets/{walletId}/recovery-file', who: 'person', load: () => import('./SaveRecovery.svelte') },
  { path: '/wallets/{walletId}/phrase', who: 'person', load: () => import('./Phrase.svelte') },
  { path: '/phrase-keys', who: 'person', load: () => import('./PhraseKeys.svelte') },
  { path: '/passkeys', who: 'person', load: () => import('./Passkeys.svelte') },
  { path: '/passkeys/new', who: 'person', load: () => import('./AddPasskey.svelte') },
  { path: '/guardians', who: 'person', load: () => import('./Guardians.svelte') },
  { path: '/guardian', who: 'anybody', load: () => import('./Guardian.svelte') },
  { path: '/recover', who: 'person', load: () => import('./Recover.svelte') },
  { path: '/move', who: 'person', load: () => import('./Move.svelte') },
  { path: '/move-away', who: 'person', load: () => import('./MoveAway.svelte') },
  { path: '/bring', who: 'person', load: () => import('./Bring.svelte') },
  { path: '/bring/{arrivalId}', who: 'person', load: () => import('./Arrival.svelte') },
  { path: '/escape', who: 'person', load: () => import('./Escape.svelte') },
  { path: '/sessions', who: 'person', load: () => import('./Sessions.svelte') },
  { path: '/apps', who: 'person', load: () => import('./Apps.svelte') },
  { path: '/activity', who: 'person', load: () => import('./Activity.svelte') },
  { path: '/notices', who: 'person', load: () => import('./Notices.svelte') },
  { path: '/privacy', who: 'person', load: () => import('./Privacy.svelte') },
  { path: '/privacy/leave', who: 'person', load: () => import('./Leave.svelte') },
  { path: '/left', who: 'anybody', load: () => import('./Left.svelte') },
  { path: '/settings', who: 'anybody', load: () => import('./Settings.svelte') },
  { path: '/more', who: 'anybody', load: () => import('./More.svelte') },
]

export interface NavigationEntry {
  readonly path: string
  readonly icon: IconName
  readonly name: () => string
  /** Among the few at the foot of a phone's screen. */
  readonly onPhone?: boolean
  readonly who: 'anybody' | 'person'
}

export const NAVIGATION: readonly { readonly name: () => string; readonly entries: readonly NavigationEntry[] }[] = [
  {
    name: () => m.group_account(),
    entries: [
      { path: '/home', icon: 'home', name: () => m.nav_home(), onPhone: true, who: 'person' },
      { path: '/send', icon: 'send', name: () => m.nav_send(), onPhone: true, who: 'person' },
      { path: '/receive', icon: 'receive', name: () => m.nav_receive(), onPhone: true, who: 'person' },
      { path: '/transactions', icon: 'list', name: () => m.nav_history(), onPhone: true, who: 'person' },
      { path: '/sign', icon: 'pen', name: () => m.sign_title(), who: 'person' },
      { path: '/limits', icon: 'limit', name: () => m.nav_limits(), who: 'person' },
      { path: '/waiting', icon: 'waiting', name: () => m.nav_waiting(), who: 'person' },
      { path: '/wallets', icon: 'wallet', name: () => m.nav_wallets(), who: 'person' },
      { path: '/multisigs', icon: 'people', name: () => m.nav_shared(), who: 'person' },
    ],
  },
  {
    name: () => m.group_keys(),
    entries: [
      { path: '/passkeys', icon: 'key', name: () => m.nav_passkeys(), who: 'person' },
      { path: '/guardians', icon: 'people', name: () => m.nav_guardians(), who: 'person' },
      { path: '/move', icon: 'house', name: () => m.nav_move(), who: 'person' },
      { path: '/escape', icon: 'leave', name: () => m.nav_escape(), who: 'person' },
      { path: '/sessions', icon: 'devices', name: () => m.nav_sessions(), who: 'person' },
      { path: '/apps', icon: 'apps', name: () => m.nav_apps(), who: 'person' },
      { path: '/activity', icon: 'clock', name: () => m.nav_activity(), who: 'person' },
    ],
  },
  {
    name: () => m.group_node(),
    entries: [
      { path: '/trust', icon: 'shield', name: () => m.nav_trust(), who: 'anybody' },
      { path: '/why', icon: 'question', name: () => m.nav_why(), who: 'anybody' },
      { path: '/notices', icon: 'bell', name: () => m.nav_notices(), who: 'person' },
      { path: '/privacy', icon: 'eye', name: () => m.nav_privacy(), who: 'person' },
      { path: '/settings', icon: 'gear', name: () => m.nav_settings(), who: 'anybody' },
    ],
  },
]
