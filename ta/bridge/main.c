// SPDX-License-Identifier: Apache-2.0
/* As the first process of a guest under QEMU: serves the host's virtio-serial port. On a board, with --socket PATH: serves
 * a unix socket of the node on the same machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge.h"

void say(const char *format, ...)
{
	char line[256];
	va_list words;

	va_start(words, format);
	vsnprintf(line, sizeof(line), format, words);
	va_end(words);
	dprintf(STDERR_FILENO, "tee-bridge: %s\n", line);
}

static void __attribute__((noreturn)) serve_port(void)
{
	const int fd = guest_start();

	if (!tee_start() || !tee_open())
		guest_end();
	tee_close();
	say("ready");
	for (;;)
		pump(fd, TRANSPORT_PORT, -1);
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat existing;
	mode_t mask;
	int fd, failed;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* Only a left-over socket is removed; anything else at a mistyped path stays. */
	if (lstat(path, &existing) == 0 && S_ISSOCK(existing.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	failed = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4);
	umask(mask);
	return failed ? -1 : fd;
}

static int serve_socket(const char *path)
{
	const int listener = listen_on(path);

	if (listener < 0) {
		say("cannot listen on %s: %s", path, strerror(errno));
		return 1;
	}
	if (!tee_start() || !tee_open())
		return 1;
	tee_close();
	say("ready");
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			continue;
		pump(fd, TRANSPORT_SOCKET, listener);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (getpid() == 1)
		serve_port();
	if (argc == 3 && !strcmp(argv[1], "--socket"))
		return serve_socket(argv[2]);
	fprintf(stderr, "usage: tee-bridge --socket PATH\n");
	return 2;
}
