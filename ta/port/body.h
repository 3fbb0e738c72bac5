/* SPDX-License-Identifier: Apache-2.0 */
/* The trusted core as the C entry of the trusted application sees it. */
#ifndef COMMUNITY_TA_BODY_H
#define COMMUNITY_TA_BODY_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Self-test, then the state is loaded. 0: ready or not provisioned yet; else a TEE_Result. */
uint32_t body_create(void);

/* A connection of the host, by a number that is given once; NULL when every place has one that proved the channel key. Where all
 * are taken, the oldest that did not makes way: its frames are answered with the end of the connection from then on. */
void *body_open_session(void);
void body_close_session(void *session);

/* Answers the whole frames at the beginning of `in`, which the caller has copied out of shared memory. Stops where `out`
 * has no room left for the largest answer. Returns the bytes of `in` that were answered; `*closed` turns 1 when the
 * connection is over. */
size_t body_frames(void *session, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_room, size_t *out_size,
		   uint32_t *closed);

#ifdef __cplusplus
}
#endif
#endif
