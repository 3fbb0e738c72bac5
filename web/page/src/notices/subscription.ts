// SPDX-License-Identifier: Apache-2.0
// This browser as one that takes notices (W3C Push API; RFC 8030): asked for, told to the node, and ended.
import { call } from '../api/client'
import { fromBase64url } from '../passkey/base64url'
import type { Locale } from '../state/locales'
import { NoticeFailure } from './failures'
import { forgetNoticeLocale, keepNoticeLocale } from './notice-locale'

const WORKER = '/notices.js'
const nameOf = (userId: string) => `notices ${userId}`

export const canTakeNotices = () =>
  isSecureContext && 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

export const isDenied = () => canTakeNotices() && Notification.permission === 'denied'

/** The subscription that this browser has for the person; it may have been ended elsewhere since. */
export function subscriptionHere(userId: string): string | null {
  try {
    return localStorage.getItem(nameOf(userId))
  } catch {
    return null
  }
}

interface Policy {
  createScriptURL(text: string): string
}
interface Policies {
  createPolicy(name: string, rules: Policy): Policy
}

// The one policy that the node's page allows (community/gateway/page_door.cpp): whatever it is given, it names this file.
const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes
const worker = policies?.createPolicy('notices', { createScriptURL: () => WORKER }).createScriptURL(WORKER) ?? WORKER

async function registered(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(worker, { updateViaCache: 'none' })
  return navigator.serviceWorker.ready
}

async function subscribed({ pushManager }: ServiceWorkerRegistration, publicKey: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: fromBase64url(publicKey) }
  try {
    // One for another key, of a node that lost its own, stands in the way.
    await (await pushManager.getSubscription())?.unsubscribe()
    return await pushManager.subscribe(options)
  } catch (error) {
    const isRefusal = error instanceof DOMException && error.name === 'NotAllowedError'
    throw new NoticeFailure(isRefusal ? 'denied' : 'push-service', { cause: error })
  }
}

/** Asks the person, the browser and the node, in this order. Throws NoticeFailure and Problem. */
export async function takeNotices(userId: string, publicKey: string, locale: Locale): Promise<void> {
  if (!canTakeNotices()) throw new NoticeFailure('unsupported')
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') throw new NoticeFailure(permission === 'denied' ? 'denied' : 'dismissed')
  await keepNoticeLocale(locale, { always: true })
  const subscription = await subscribed(await registered(), publicKey)
  const { endpoint, keys } = subscription.toJSON()
  const body = { endpoint: endpoint ?? '', keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } }
  try {
    const { subscriptionId } = await call('post', '/api/v1/push/subscriptions', { body })
    localStorage.setItem(nameOf(userId), subscriptionId)
  } catch (error) {
    // What the node does not know of would never be told anything.
    await subscription.unsubscribe()
    throw error
  }
}

/** Ends what this browser has, whatever the node knows of it. */
export async function endHere(userId: string): Promise<void> {
  if (!canTakeNotices()) return
  const registration = await navigator.serviceWorker.getRegistration()
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
  await registration?.unregister()
  await forgetNoticeLocale()
  localStorage.removeItem(nameOf(userId))
}
