// SPDX-License-Identifier: Apache-2.0
// What is wrong with a recovery file that was chosen, in words.
import { type FileFault, FileRefused } from '../account/escape'
import * as m from '../generated/words/messages.js'

const FAULTS: Record<FileFault, () => string> = {
  unreadable: m.file_unreadable,
  'other-account': m.escape_file_other,
  'key-replaced': m.escape_file_old,
}

export const fileFaultWords = (error: unknown): string =>
  error instanceof FileRefused ? FAULTS[error.fault]() : m.file_unreadable()
