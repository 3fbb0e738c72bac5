/* SPDX-License-Identifier: Apache-2.0 */
/* tee-bridge: carries frames between the host and the trusted application. It decides nothing and can read nothing that
 * its MACs do not let it read: whoever controls the guest controls this program too. */
#ifndef COMMUNITY_BRIDGE_H
#define COMMUNITY_BRIDGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- tee.c: sessions of the trusted application ------------------------------------------------------------------- */

/* Opens the TEE's driver and registers the memory that frames travel in. False, with a line on stderr, when there is no
 * TEE. */
bool tee_start(void);
/* One session is one connection of the host. False, with a line on stderr, when the trusted application cannot be
 * opened. */
bool tee_open(void);
void tee_close(void);
/* Where to put whole frames: TEE_INPUT_ROOM bytes. */
uint8_t *tee_input(void);
extern const size_t TEE_INPUT_ROOM;
/* Hands over the first `size` bytes of the input. `*used` of them were answered with the `*answer_size` bytes at the
 * returned place; `*closed` when the connection is over. NULL, with a line on stderr, when the trusted application is
 * gone. */
const uint8_t *tee_frames(size_t size, size_t *used, size_t *answer_size, bool *closed);

/* --- pump.c ------------------------------------------------------------------------------------------------------- */

enum transport {
	/* A stream that ends with its file descriptor. */
	TRANSPORT_SOCKET,
	/* A port of virtio-serial: it outlives the host's connection, and only the host can end that. */
	TRANSPORT_PORT,
};

/* Carries frames until the host's connection is over. A port stays open for the next connection; on a socket `listener` is where
 * others wait, -1 when there is none. */
void pump(int fd, enum transport transport, int listener);

/* --- guest.c ------------------------------------------------------------------------------------------------------ */

/* What the first process of the guest does: file systems, modules, data disk, tee-supplicant. Returns the file
 * descriptor of the host's port; ends the guest when something is missing. */
int guest_start(void);

/* Ends the guest in order: the last line of its console is then the reason. */
void guest_end(void) __attribute__((noreturn));

/* "tee-bridge: " and the words, one line on stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
