// SPDX-License-Identifier: Apache-2.0
// What went wrong, named after the rule that was broken: by the node (RFC 9457, spec/openapi.json) or here.
import type { components } from '../generated/api'

type ProblemDocument = components['schemas']['Problem']

const PREFIX = 'urn:community-node:problem:'

export class Problem extends Error {
  constructor(
    /** Last part of the document's `type`, or one of this page's own rules. */
    readonly rule: string,
    readonly details: Partial<Omit<ProblemDocument, 'type'>> = {},
  ) {
    super(`${rule}: ${details.title ?? ''}`)
    this.name = 'Problem'
  }

  static is(error: unknown, rule: string): error is Problem {
    return error instanceof Problem && error.rule === rule
  }

  /** The problem that an answer's text tells; `answer-unreadable` when it tells none. */
  static of(text: string, status: number): Problem {
    try {
      const document = JSON.parse(text) as ProblemDocument
      if (typeof document.type === 'string' && document.type.startsWith(PREFIX)) {
        const { type, ...details } = document
        return new Problem(type.slice(PREFIX.length), details)
      }
    } catch {
      // Not JSON: a proxy's page, perhaps.
    }
    return new Problem('answer-unreadable', { status, title: `HTTP status ${status}` })
  }
}
