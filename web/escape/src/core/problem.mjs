// SPDX-License-Identifier: Apache-2.0
// Expected failures of the core. A problem is named after the rule that was broken; the page finds its words, which say
// what to do next, under `problem.<name>` in strings.json.
export class Problem extends Error {
  constructor(name, values = {}) {
    super(
      `${name} ${Object.entries(values)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`.trim(),
    )
    this.name = 'Problem'
    this.problem = name
    this.values = values
  }
}

export function require(condition, name, values) {
  if (!condition) throw new Problem(name, values)
}
