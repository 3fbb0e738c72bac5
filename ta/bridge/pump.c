// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "ta/ta_commands.h"

/* The part of a frame's header that is looked at here (spec/trusted-core-protocol.md, section 1). */
#define LENGTH_BYTES 4
#define MIN_FRAME 40
#define COMMAND_OFFSET 6
#define COMMAND_HELLO 1
#define COMMAND_PROVISION 10
#define UNPROVED_MILLISECONDS 1000
/* What one read of a port gives at most (Linux, drivers/char/virtio_console.c: a page). */
#define PORT_BUFFER 4096

struct connection {
	int fd;
	enum transport transport;
	/* Where others wait, -1 for a port. */
	int listener;
	/* A hello was handed over in this connection. */
	bool greeted;
	/* So was a frame after it, and the application went on: its MAC is right, so it is from the holder of the channel key. */
	bool proved;
};

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bytes of the frame that begins at `p`: 0 while its length is not there, more than the room for one that cannot be. */
static size_t frame_size(const uint8_t *p, size_t have)
{
	size_t size;

	if (have < LENGTH_BYTES)
		return 0;
	size = LENGTH_BYTES + (size_t)load32(p);
	return size < MIN_FRAME ? TEE_INPUT_ROOM + 1 : size;
}

/* A hello begins a connection, also where the end of the one before could not be seen; so does the request for keys. */
static bool is_first(const uint8_t *p)
{
	return p[COMMAND_OFFSET] == 0 &&
	       (p[COMMAND_OFFSET + 1] == COMMAND_HELLO || p[COMMAND_OFFSET + 1] == COMMAND_PROVISION);
}

/* Bytes of the whole frames at the beginning; stops before one that begins a connection and is not the first
 * of them. `*bad` when a length
 * is none. */
static size_t whole_frames(const uint8_t *p, size_t have, bool *bad)
{
	size_t done = 0;

	for (;;) {
		const size_t size = frame_size(p + done, have - done);

		*bad = size > TEE_INPUT_ROOM;
		if (*bad || size == 0 || size > have - done || (done > 0 && is_first(p + done)))
			return done;
		done += size;
		if (is_first(p + done - size))
			return done;
	}
}

/* False when there is nobody to read any more. */
static bool wait_for_room(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (poll(&ready, 1, -1) < 0)
		continue;
	return !(ready.revents & (POLLHUP | POLLERR));
}

/* False when the connection is over. */
static bool write_all(int fd, const uint8_t *p, size_t size)
{
	while (size > 0) {
		/* A port without a host takes nothing (it does not block either), so that no answer waits there for whoever
		 * connects next. */
		const ssize_t put = write(fd, p, size);

		if (put > 0) {
			p += put;
			size -= (size_t)put;
			continue;
		}
		if (put == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for_room(fd))
			return false;
	}
	return true;
}

/* A connection that has not proved the channel key makes way for one that waits: a stranger on the socket that says nothing,
 * or nothing that the application accepts, does not keep the node out. False when it has to go. */
static bool wait_for_input(struct connection *c)
{
	struct pollfd ready[] = { { .fd = c->fd, .events = POLLIN }, { .fd = c->listener, .events = POLLIN } };
	/* poll() passes over a negative descriptor. */
	if (c->proved)
		ready[1].fd = -1;
	while (poll(ready, 2, -1) < 0 && errno == EINTR)
		continue;
	if (ready[0].revents || !ready[1].revents)
		return true;
	/* Who came a moment ago may be the node itself, with its first words on their way. */
	return poll(ready, 1, UNPROVED_MILLISECONDS) > 0;
}

/* Reads what is there, at least something. False when the connection is over. */
static bool read_some(struct connection *c, uint8_t *p, size_t room, size_t *have)
{
	if (!wait_for_input(c))
		return false;
	for (;;) {
		const ssize_t got = room > *have ? read(c->fd, p + *have, room - *have) : -1;

		if (got == 0)
			return false;
		if (got < 0)
			return room == *have || errno == EAGAIN || errno == EINTR;
		*have += (size_t)got;
		/* Less than a port's buffer was the last there is; to ask again costs as much as a third of a signature. */
		if ((size_t)got < PORT_BUFFER)
			return true;
	}
}

/* A port without a host is always ready, to say that nobody is there: nothing to wait on but time. Nothing is read here: it
 * could be the first bytes of a host that came this moment. */
static void wait_for_host(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (poll(&ready, 1, -1) < 0 || (ready.revents & POLLHUP))
		usleep(2000);
}

/* The last answers of a connection. The mark goes with them in one write: a host that has read the answer may connect
 * again at once, and a mark that came later would end its new connection. */
static bool write_last(int fd, enum transport transport, const uint8_t *answers, size_t size)
{
	static uint8_t last[COMMUNITY_TA_MAX_OUTPUT + LENGTH_BYTES];

	if (transport == TRANSPORT_SOCKET)
		return write_all(fd, answers, size);
	if (size)
		memcpy(last, answers, size);
	memset(last + size, 0, LENGTH_BYTES);
	return write_all(fd, last, size + LENGTH_BYTES);
}

/* Answers the whole frames at the beginning of the input and moves the rest there. False when the connection is over; then
 * the host was told. */
static bool answer(struct connection *c, uint8_t *input, size_t *have)
{
	for (;;) {
		bool bad = false, closed = false;
		size_t used = 0, answer_size = 0;
		const size_t size = whole_frames(input, *have, &bad);
		const uint8_t *answers;

		if (bad && size == 0)
			write_last(c->fd, c->transport, NULL, 0);
		if (size == 0)
			return !bad;
		if (is_first(input) && c->greeted)
			tee_close();
		c->greeted = true;
		c->proved = !is_first(input);
		answers = tee_open() ? tee_frames(size, &used, &answer_size, &closed) : NULL;
		if (!answers || closed || used == 0) {
			write_last(c->fd, c->transport, answers, answers ? answer_size : 0);
			return false;
		}
		if (!write_all(c->fd, answers, answer_size))
			return false;
		memmove(input, input + used, *have - used);
		*have -= used;
	}
}

/* Drops what comes until a frame begins a new connection: a host that comes back at once leaves no sign in between. False
 * when it hung up instead. */
static bool find_first(struct connection *c, uint8_t *input, size_t *have)
{
	/* Length, version 1, command. */
	static const uint8_t beginnings[][8] = { { 0, 0, 0, 68, 0, 1, 0, COMMAND_HELLO },
						 { 0, 0, 0, 100, 0, 1, 0, COMMAND_PROVISION } };
	const size_t size = sizeof(beginnings[0]);

	/* What was read together with the frame that ended the connection may hold it already; that frame itself not. */
	if (*have > 0)
		memmove(input, input + 1, --*have);
	for (;;) {
		size_t at = 0;

		while (at + size <= *have && memcmp(input + at, beginnings[0], size) &&
		       memcmp(input + at, beginnings[1], size))
			at++;
		if (at + size <= *have || at > 0)
			memmove(input, input + at, *have - at);
		*have -= at;
		if (*have >= size)
			return true;
		if (!read_some(c, input, TEE_INPUT_ROOM, have))
			return false;
	}
}

void pump(int fd, enum transport transport, int listener)
{
	struct connection c = { .fd = fd, .transport = transport, .listener = listener };
	uint8_t *input = tee_input();
	size_t have = 0;

	if (transport == TRANSPORT_PORT)
		wait_for_host(fd);
	for (;;) {
		if (answer(&c, input, &have)) {
			if (!read_some(&c, input, TEE_INPUT_ROOM, &have))
				break;
			continue;
		}
		tee_close();
		/* The port cannot be closed from this side: it serves whoever says hello next. */
		if (transport == TRANSPORT_SOCKET || !find_first(&c, input, &have))
			break;
	}
	tee_close();
}
