// SPDX-License-Identifier: Apache-2.0

/** Hands a file to the browser's downloads. */
export function saveFile(blob: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // A download begins with the click; the address is of no use afterwards.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
