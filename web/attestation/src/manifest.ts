// SPDX-License-Identifier: Apache-2.0
// What quotes are compared with: the manifest of a release or an installation, and the pins that a client keeps
// (spec/attestation.md, sections 4 and 5).
import { checkFormat, isHex, Members, readDocument } from './document.js'
import { BODIES, type Body, type Protection, PROTECTIONS } from './quote.js'

export const MANIFEST_FORMAT = 'community-manifest-1'
export const PINS_FORMAT = 'community-attestation-pins-1'
export const MAX_LISTED = 64
export const MAX_LIST_DOCUMENT = 65_536

/** A trusted application and the TEE core it runs on, measured as their quotes will be. */
export interface Image {
  readonly body: Body
  readonly protection: Protection
  readonly application: string
  readonly system: string
}

export interface Manifest {
  readonly version: string
  readonly commit: string
  readonly images: readonly Image[]
  /** Fingerprints of attestation keys that whoever made the manifest vouches for. */
  readonly attestationKeys: readonly string[]
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

export interface Pin {
  /** Fingerprint. */
  readonly attestationKey: string
  readonly coreId: string
  /** RFC 3339 in UTC, to the second, of the client's clock. */
  readonly firstSeen: string
}

/** Throws Refused. */
export function parseManifest(text: string): Manifest {
  const document = readDocument(text, MAX_LIST_DOCUMENT)
  checkFormat(document, MANIFEST_FORMAT)
  const members = new Members(document, 'manifest', [
    'format',
    'version',
    'commit',
    'images',
    'attestationKeys',
    'files',
  ])
  members.text('format')
  return {
    version: members.text('version'),
    commit: members.text('commit'),
    images: members.list('images', MAX_LISTED).map((element) => {
      const image = new Members(element, 'image', ['body', 'protection', 'application', 'system'])
      return {
        body: image.word('body', BODIES),
        protection: image.word('protection', PROTECTIONS),
        application: image.fixed('application', 32),
        system: image.fixed('system', 32),
      }
    }),
    attestationKeys: members
      .list('attestationKeys', MAX_LISTED)
      .map((element) =>
        typeof element === 'string' && isHex(element, 32, 32) ? element : members.wrong('attestationKeys'),
      ),
    files: members.list('files', MAX_LISTED).map((element) => {
      const file = new Members(element, 'file', ['name', 'sha256'])
      return { name: file.text('name'), sha256: file.fixed('sha256', 32) }
    }),
  }
}

/** Throws Refused. */
export function parsePins(text: string): Pin[] {
  const document = readDocument(text, MAX_LIST_DOCUMENT)
  checkFormat(document, PINS_FORMAT)
  const members = new Members(document, 'pins', ['format', 'pins'])
  members.text('format')
  return members.list('pins', MAX_LISTED).map((element) => {
    const pin = new Members(element, 'pin', ['attestationKey', 'coreId', 'firstSeen'])
    const read = {
      attestationKey: pin.fixed('attestationKey', 32),
      coreId: pin.fixed('coreId', 16),
      firstSeen: pin.text('firstSeen'),
    }
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(read.firstSeen)) pin.wrong('firstSeen')
    return read
  })
}

/** A pins document, for wherever the client keeps it. */
export function formatPins(pins: readonly Pin[]): string {
  const plain = pins.map(({ attestationKey, coreId, firstSeen }) => ({ attestationKey, coreId, firstSeen }))
  return JSON.stringify({ format: PINS_FORMAT, pins: plain }, null, 2) + '\n'
}
