// SPDX-License-Identifier: Apache-2.0
// The door of this module. Needs WebCrypto alone, so it runs in browsers (secure contexts) and in Node.js 20 and newer.
export { formatPins, type Image, type Manifest, parseManifest, parsePins, type Pin } from './manifest.js'
export { type Body, type Protection, type Statement } from './quote.js'
export { type Refusal, Refused } from './refused.js'
export {
  type CodeAnswer,
  everythingHolds,
  freshChallenge,
  type Genuine,
  type KeyAnswer,
  type MachineAnswer,
  type Match,
  type NotGenuine,
  type Verdict,
  verify,
  type Voucher,
} from './verifier.js'
