/* SPDX-License-Identifier: Apache-2.0 */
/* What the normal world asks of the trusted application through the GlobalPlatform client API. The frames themselves are
 * the protocol of spec/trusted-core-protocol.md; this is only how they get in and out. */
#ifndef COMMUNITY_TA_COMMANDS_H
#define COMMUNITY_TA_COMMANDS_H

#define COMMUNITY_TA_UUID \
	{ 0x12345678, 0x5b69, 0x11d4, { 0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 } }

/* One session of the trusted application is one connection of the host.
 *
 * [in]  memref 0: whole frames, one after the other, at most COMMUNITY_TA_MAX_INPUT bytes
 * [out] memref 1: their answers in order, at least COMMUNITY_TA_MAX_OUTPUT bytes of room
 * [out] value 2:  a: bytes of memref 0 that were answered (the rest wants another call), b: 1 when the connection is over
 *
 * The number is beyond those of the founders' interface (0 to 4), which travels inside frames only. */
#define COMMUNITY_TA_FRAMES 0x100

/* The largest frame, and room for two of the largest answers. */
#define COMMUNITY_TA_MAX_INPUT (262144 + 16384)
#define COMMUNITY_TA_MAX_OUTPUT (2 * 65536)

#endif
