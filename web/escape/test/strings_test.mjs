// SPDX-License-Identifier: Apache-2.0
// The table of words is complete, and its check notices when it is not.
import { complaints, table } from '../check_strings.mjs'
import { equal } from './harness.mjs'

export async function run({ test }) {
  await test('Strings.NoneIsMissingInAnyLanguage', () => equal(complaints(table()), [], 'complaints'))

  await test('Strings.WhatIsMissingIsNoticed', () => {
    const strings = table()
    delete strings['step.move']
    delete strings['problem.nonce_replaced']
    strings['file.what'].th = ' '
    strings['chain.summary'].zh = 'x'
    strings['file.nothing'] = { en: 'a', zh: 'b', th: 'c' }
    equal(
      complaints(strings).sort(),
      [
        'chain.summary has other values in zh',
        'file.nothing is not used',
        'file.what is missing in th',
        'problem.nonce_replaced is missing',
        'step.move is missing',
      ],
      'complaints',
    )
  })
}
