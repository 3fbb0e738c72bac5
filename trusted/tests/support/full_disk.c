/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded into QEMU before its C library (LD_PRELOAD): while the file that COMMUNITY_FULL_DISK names is there, the host has no
 * room left for the device's disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int no_room(int fd)
{
	const char *sign = getenv("COMMUNITY_FULL_DISK");
	char link[64], path[4096];
	ssize_t size;

	if (!sign || access(sign, F_OK))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0)
		return 0;
	path[size] = 0;
	if (!strstr(path, "/data.img"))
		return 0;
	errno = ENOSPC;
	return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

	return no_room(fd) ? -1 : real(fd, bytes, size, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
	ssize_t (*real)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "pwritev64");

	return no_room(fd) ? -1 : real(fd, parts, count, at);
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t at, int flags)
{
	ssize_t (*real)(int, const struct iovec *, int, off64_t, int) = dlsym(RTLD_NEXT, "pwritev64v2");

	return no_room(fd) ? -1 : real(fd, parts, count, at, flags);
}
