// SPDX-License-Identifier: Apache-2.0
// Everything that the node's database holds about the person, as one file (spec/person-export.schema.json). The answer
// is written while it is read from the database, so one without its end was cut off and is worth nothing.
import { Problem } from '../api/problem'

const PATH = '/api/v1/me/export'
export const FORMAT = 'community-node person export'

export interface Exported {
  readonly blob: Blob
  readonly name: string
}

/** Names the node and the day, so that files of two nodes or two days do not take each other's place. */
export function nameOfExport(origin: string, exportedAt: string): string {
  const host = origin.replace(/^https?:\/\//, '').replace(/[^A-Za-z0-9.-]+/g, '-')
  return `airaccount-${host}-${exportedAt.slice(0, 10)}.json`
}

/** The name of a whole document. Throws Problem `export-cut-off` for anything else. */
export function checkExport(text: string): string {
  try {
    const { format, complete, origin, exportedAt } = JSON.parse(text) as Record<string, unknown>
    if (format === FORMAT && complete === true && typeof origin === 'string' && typeof exportedAt === 'string')
      return nameOfExport(origin, exportedAt)
  } catch {
    // Not JSON: the end is missing.
  }
  throw new Problem('export-cut-off')
}

async function open(signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(PATH, {
      headers: { accept: 'application/json' },
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw error
    throw new Problem('node-unreachable')
  }
}

async function gather(response: Response, hear: (bytes: number) => void, signal: AbortSignal): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  try {
    const reader = response.body?.getReader()
    for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
      pieces.push(step.value)
      bytes += step.value.length
      hear(bytes)
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw new Problem('export-cut-off')
  }
  return new Blob(pieces, { type: 'application/json' })
}

/**
 * `hear` is told how many bytes there are so far; how many there will be, nobody knows before. Throws Problem, and what
 * `signal` was aborted with.
 */
export async function fetchExport(hear: (bytes: number) => void, signal: AbortSignal): Promise<Exported> {
  const response = await open(signal)
  if (!response.ok) throw Problem.of(await response.text().catch(() => ''), response.status)
  const blob = await gather(response, hear, signal)
  return { blob, name: checkExport(await blob.text()) }
}
