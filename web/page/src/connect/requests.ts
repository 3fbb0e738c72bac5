// SPDX-License-Identifier: Apache-2.0
// What an app asks, read strictly: a parser of outside values, which are a structured clone and may be anything.
import { selector } from '../../../escape/src/core/abi.mjs'
import { type MessageContent, MOST_DOCUMENT, MOST_PERSONAL, readDocument } from '../transaction/message'
import type { ApiCall } from '../transaction/models'

export interface AppFunction {
  /** As the app wrote it, "save(bytes32,uint32)"; the selector alone where it wrote that. */
  readonly name: string
  readonly selector: string
}

export type AppRequest =
  | { readonly method: 'connect'; readonly chainId?: number }
  | { readonly method: 'sendCalls'; readonly address: string; readonly calls: readonly ApiCall[] }
  | { readonly method: 'signMessage'; readonly address: string; readonly content: MessageContent }
  | {
      readonly method: 'grant'
      readonly address: string
      readonly contract: string
      readonly functions: readonly AppFunction[]
      /** wei */
      readonly valuePerCall: string
      readonly valueTotal: string
      /** Seconds. */
      readonly duration: number
    }

const MOST_CALLS = 32
const MOST_DATA = 2 + 2 * 65_536
const MOST_FUNCTIONS = 8
const LONGEST_GRANT_S = 7_200
const MOST_VALUE = 2n ** 128n

export class RequestUnreadable extends Error {}

function need(holds: unknown, what: string): asserts holds {
  if (!holds) throw new RequestUnreadable(what)
}

type Members = Readonly<Record<string, unknown>>

function members(value: unknown, what: string): Members {
  need(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is an object`)
  return value as Members
}

function text(value: unknown, pattern: RegExp, what: string): string {
  need(typeof value === 'string' && pattern.test(value), `${what} is malformed`)
  return value
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const AMOUNT = /^(?:0|[1-9][0-9]{0,77})$/
const BYTES = /^0x(?:[0-9a-fA-F]{2})*$/
const SELECTOR = /^0x[0-9a-fA-F]{8}$/
// A function of the contract ABI with its types, nothing to look like anything else with.
const SIGNATURE = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}\([A-Za-z0-9_,()[\]]{0,160}\)$/

function list(value: unknown, most: number, what: string): readonly unknown[] {
  need(Array.isArray(value) && value.length > 0 && value.length <= most, `${what}: 1 to ${most}`)
  return value
}

function readCall(value: unknown): ApiCall {
  const { to, value: amount = '0', data = '0x' } = members(value, 'a call')
  need(typeof data === 'string' && data.length <= MOST_DATA, 'data is too long')
  const bytes = text(data, BYTES, 'data').toLowerCase()
  const wei = text(amount, AMOUNT, 'value')
  need(BigInt(wei) < 2n ** 256n, 'value is too much')
  return { to: text(to, ADDRESS, 'to').toLowerCase(), value: wei, ...(bytes === '0x' ? {} : { data: bytes }) }
}

/** Bytes of a personal message, or a document as the text that the app has of it. Throws DocumentMalformed. */
function readMessage({ personal, typedData }: Members): MessageContent {
  need((personal === undefined) !== (typedData === undefined), 'a message is personal, or typed data')
  if (personal === undefined) {
    need(typeof typedData === 'string' && typedData.length <= MOST_DOCUMENT, 'the typed data are too long')
    return { typedData: readDocument(typedData) }
  }
  need(typeof personal === 'string' && personal.length <= 2 + 2 * MOST_PERSONAL, 'the message is too long')
  return { personal: text(personal, BYTES, 'the message').toLowerCase() }
}

function readFunction(value: unknown): AppFunction {
  need(typeof value === 'string' && value.length <= 230, 'a function is malformed')
  if (SELECTOR.test(value)) return { name: value.toLowerCase(), selector: value.toLowerCase() }
  const name = text(value, SIGNATURE, 'a function')
  return { name, selector: selector(name) }
}

function readValue(value: unknown, what: string): string {
  const wei = text(value, AMOUNT, what)
  need(BigInt(wei) < MOST_VALUE, `${what} is too much`)
  return wei
}

/** Throws RequestUnreadable and DocumentMalformed. Members that are not known are not looked at. */
export function readRequest(value: unknown): AppRequest {
  const { method, params } = members(value, 'a request')
  const given = members(params, 'params')
  if (method === 'connect') {
    const { chainId } = given
    if (chainId === undefined) return { method }
    need(Number.isSafeInteger(chainId) && (chainId as number) > 0, 'chainId is malformed')
    return { method, chainId: chainId as number }
  }
  need(method === 'sendCalls' || method === 'grant' || method === 'signMessage', 'the method is not known')
  const address = text(given.address, ADDRESS, 'address').toLowerCase()
  if (method === 'sendCalls') return { method, address, calls: list(given.calls, MOST_CALLS, 'calls').map(readCall) }
  if (method === 'signMessage') return { method, address, content: readMessage(given) }
  const functions = list(given.functions, MOST_FUNCTIONS, 'functions').map(readFunction)
  const selectors = new Set(functions.map((one) => one.selector))
  need(selectors.size === functions.length, 'a function comes twice')
  const { duration } = given
  need(Number.isInteger(duration), 'duration is malformed')
  need((duration as number) > 0 && (duration as number) <= LONGEST_GRANT_S, `duration: 1 to ${LONGEST_GRANT_S} seconds`)
  return {
    method,
    address,
    contract: text(given.contract, ADDRESS, 'contract').toLowerCase(),
    functions,
    valuePerCall: readValue(given.valuePerCall, 'valuePerCall'),
    valueTotal: readValue(given.valueTotal, 'valueTotal'),
    duration: duration as number,
  }
}
