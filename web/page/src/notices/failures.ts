// SPDX-License-Identifier: Apache-2.0
// Why a browser takes no notices, as far as a person can do something about it.

export type NoticeFailureKind =
  /** No Push API here: another browser, a private window, or a page that is not on the home screen. */
  | 'unsupported'
  /** The person, or whoever administers the device, said no; a page cannot ask again. */
  | 'denied'
  /** The question was closed. */
  | 'dismissed'
  /** The browser's maker answers nothing. */
  | 'push-service'

export class NoticeFailure extends Error {
  constructor(
    readonly kind: NoticeFailureKind,
    options?: ErrorOptions,
  ) {
    super(`notices: ${kind}`, options)
    this.name = 'NoticeFailure'
  }
}
