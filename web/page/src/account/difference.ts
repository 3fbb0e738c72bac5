// SPDX-License-Identifier: Apache-2.0
// What a node answered is not what this page computes of it, or what the chain says.

/** The difference is named for the page's words and for a report to whoever runs the node. */
export abstract class DifferenceFound<Name extends string> extends Error {
  constructor(
    readonly difference: Name,
    readonly words = '',
  ) {
    super(`${difference} ${words}`.trim())
  }
}
