// SPDX-License-Identifier: Apache-2.0
// A list that the node answers page by page, latest first: more of it when somebody wants more, and its beginning anew
// when there is news.

export interface Page<T> {
  readonly entries: readonly T[]
  /** What `before` of the next page is; null when this is the last one. */
  readonly next: number | null
}

export interface Paged<T> {
  /** Null until the first page came. */
  readonly entries: readonly T[] | null
  readonly hasMore: boolean
  readonly isBusy: boolean
  readonly failure: unknown
  more(): Promise<void>
  /** The first page again; older ones that were loaded stay. */
  renew(): Promise<void>
}

/** `sequence` tells entries apart and falls from one to the next. */
export function paged<T extends { readonly sequence: number }>(
  ask: (before: number | undefined) => Promise<Page<T>>,
): Paged<T> {
  let entries = $state.raw<readonly T[] | null>(null)
  let next = $state.raw<number | null>(null)
  let failure = $state.raw<unknown>(null)
  let isBusy = $state(false)

  async function more() {
    if (isBusy) return
    isBusy = true
    failure = null
    try {
      const page = await ask(next ?? undefined)
      const known = next === null ? [] : (entries ?? [])
      entries = [...known, ...page.entries]
      next = page.next
    } catch (error) {
      failure = error
    } finally {
      isBusy = false
    }
  }

  async function renew() {
    if (isBusy || entries === null) return
    try {
      const page = await ask(undefined)
      const last = page.entries.at(-1)?.sequence ?? 0
      const older = (entries ?? []).filter(({ sequence }) => sequence < last)
      // More came than a page holds: what lies between is read by whoever wants more.
      const isWhole = entries.some(({ sequence }) => sequence >= last)
      entries = isWhole ? [...page.entries, ...older] : page.entries
      if (!isWhole || older.length === 0) next = page.next
    } catch {
      // What is shown stays; whoever asks next is told.
    }
  }

  return {
    get entries() {
      return entries
    },
    get hasMore() {
      return next !== null
    },
    get isBusy() {
      return isBusy
    },
    get failure() {
      return failure
    },
    more,
    renew,
  }
}
