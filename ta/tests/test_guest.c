// SPDX-License-Identifier: Apache-2.0
/* A guest whose root is hostile: the first process of a guest that tests start in place of tee-bridge. It is in no image that a
 * node starts. The file /test-mode says what it does:
 *
 *   orders  does what the host orders over the frames' port: opens sessions of the trusted application, calls it with
 *           whatever parameters, maps physical memory, and starts tee-bridge as a board does, with a unix socket
 *   victim  starts tee-bridge as the first process of a PID namespace, and kills it when the console reads a line
 *
 * An order is u32 size | u8 letter | fields, its answer u32 size | fields; numbers are big-endian. Whatever does not fit
 * ends the guest: the host is the test. trusted/tests/support/guest.hpp is the other end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "ta/bridge/bridge.h"
#include "ta/ta_commands.h"

#define BRIDGE "/usr/sbin/tee-bridge"
#define SOCKET "/tmp/socket"
#define MAX_ORDER (1 << 20)
#define MAX_SESSIONS 64
#define MAX_CONNECTIONS 16
#define PAGE 4096
#define PATIENCE_SECONDS 30

static int port = -1;
static TEEC_Context context;
static TEEC_Session sessions[MAX_SESSIONS];
static bool session_open[MAX_SESSIONS];
static int connections[MAX_CONNECTIONS];

void say(const char *format, ...)
{
	char line[256];
	va_list words;

	va_start(words, format);
	vsnprintf(line, sizeof(line), format, words);
	va_end(words);
	dprintf(STDERR_FILENO, "tee-bridge: %s\n", line);
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	say("test guest: %s: %s", what, strerror(errno));
	/* The first process may not end: the kernel panics, and QEMU ends with it. */
	_exit(1);
}

/* --- orders and answers ------------------------------------------------------------------------------------------- */

static uint8_t order[MAX_ORDER], answer[MAX_ORDER];
static size_t order_size, order_read, answer_size;

static void wait_for_port(short what)
{
	struct pollfd ready = { .fd = port, .events = what };

	while (poll(&ready, 1, -1) < 0 || (ready.revents & POLLHUP))
		usleep(2000);
}

static void port_read(uint8_t *p, size_t size)
{
	while (size > 0) {
		ssize_t got;

		wait_for_port(POLLIN);
		got = read(port, p, size);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			give_up("port");
		if (got > 0) {
			p += got;
			size -= (size_t)got;
		}
	}
}

static void port_write(const uint8_t *p, size_t size)
{
	while (size > 0) {
		ssize_t put;

		wait_for_port(POLLOUT);
		put = write(port, p, size);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			give_up("port");
		if (put > 0) {
			p += put;
			size -= (size_t)put;
		}
	}
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

static const uint8_t *take(size_t size)
{
	const uint8_t *p = order + order_read;

	if (size > order_size - order_read)
		give_up("an order is too short");
	order_read += size;
	return p;
}

static uint32_t take32(void)
{
	return load32(take(4));
}

static void put(const void *bytes, size_t size)
{
	if (size > sizeof(answer) - answer_size)
		give_up("an answer is too long");
	if (size)
		memcpy(answer + answer_size, bytes, size);
	answer_size += size;
}

static void put32(uint32_t value)
{
	uint8_t bytes[4];

	store32(bytes, value);
	put(bytes, sizeof(bytes));
}

/* --- the trusted application, with whatever parameters ------------------------------------------------------------ */

/* Each parameter is u32 a | u32 b | u32 size | bytes. Of a value a and b are its halves; of memory a is the size that is
 * told, b 1 for no memory at all, and the bytes what stands in it. */
static void take_parameters(TEEC_Operation *operation)
{
	operation->paramTypes = take32();
	for (int i = 0; i < 4; i++) {
		const uint32_t type = TEEC_PARAM_TYPE_GET(operation->paramTypes, i);
		const uint32_t a = take32(), b = take32(), size = take32();
		const uint8_t *bytes = take(size);

		if (type <= TEEC_VALUE_INOUT) {
			operation->params[i].value.a = a;
			operation->params[i].value.b = b;
			continue;
		}
		operation->params[i].tmpref.size = a;
		if (b)
			continue;
		operation->params[i].tmpref.buffer = calloc(1, a > size ? a : size + 1);
		if (!operation->params[i].tmpref.buffer)
			give_up("memory");
		if (size)
			memcpy(operation->params[i].tmpref.buffer, bytes, size);
	}
}

/* Each parameter is u32 a | u32 b | u32 size | bytes again; of memory a is the size told back, and of memory for output the
 * bytes are what of it fits what was there. */
static void put_parameters(const TEEC_Operation *operation, const size_t *sizes)
{
	for (int i = 0; i < 4; i++) {
		const uint32_t type = TEEC_PARAM_TYPE_GET(operation->paramTypes, i);
		const bool memory = type > TEEC_VALUE_INOUT;
		const size_t told = memory ? operation->params[i].tmpref.size : 0;
		const bool there = memory && operation->params[i].tmpref.buffer;
		const bool output = there && type != TEEC_MEMREF_TEMP_INPUT;
		const size_t size = !output ? 0 : told < sizes[i] ? told : sizes[i];

		put32(memory ? (uint32_t)told : operation->params[i].value.a);
		put32(memory ? 0 : operation->params[i].value.b);
		put32((uint32_t)size);
		if (output)
			put(operation->params[i].tmpref.buffer, size);
		if (there)
			free(operation->params[i].tmpref.buffer);
	}
}

static void sizes_of(const TEEC_Operation *operation, size_t *sizes)
{
	for (int i = 0; i < 4; i++)
		sizes[i] = TEEC_PARAM_TYPE_GET(operation->paramTypes, i) > TEEC_VALUE_INOUT ?
				   operation->params[i].tmpref.size : 0;
}

/* O | types | 4 parameters: opens a session; result | origin | number of the session. */
static void open_session(void)
{
	static const TEEC_UUID uuid = COMMUNITY_TA_UUID;
	TEEC_Operation operation = { 0 };
	uint32_t origin = 0, number = 0;
	size_t sizes[4];
	TEEC_Result result;

	while (number < MAX_SESSIONS && session_open[number])
		number++;
	if (number == MAX_SESSIONS)
		give_up("too many sessions");
	take_parameters(&operation);
	sizes_of(&operation, sizes);
	result = TEEC_OpenSession(&context, &sessions[number], &uuid, TEEC_LOGIN_PUBLIC, NULL, &operation, &origin);
	session_open[number] = result == TEEC_SUCCESS;
	put32(result);
	put32(origin);
	put32(number);
	put_parameters(&operation, sizes);
}

static uint32_t take_session(void)
{
	const uint32_t number = take32();

	if (number >= MAX_SESSIONS || !session_open[number])
		give_up("no such session");
	return number;
}

/* C | session */
static void close_session(void)
{
	const uint32_t number = take_session();

	TEEC_CloseSession(&sessions[number]);
	session_open[number] = false;
}

/* I | session | command | types | 4 parameters: result | origin | 4 parameters */
static void invoke(void)
{
	const uint32_t number = take_session(), command = take32();
	TEEC_Operation operation = { 0 };
	uint32_t origin = 0;
	size_t sizes[4];

	take_parameters(&operation);
	sizes_of(&operation, sizes);
	put32(TEEC_InvokeCommand(&sessions[number], command, &operation, &origin));
	put32(origin);
	put_parameters(&operation, sizes);
}

/* --- physical memory ---------------------------------------------------------------------------------------------- */

static sigjmp_buf escape;

static void faulted(int number)
{
	siglongjmp(escape, number);
}

/* R | u64 address | pages | what: reads (0), reads, changes and reads back (1), or only writes (2) the first word of each page. Of
 * each page one byte: 0 when that could be done, 1 when it could not even be mapped, else the number of the signal. */
static void touch_memory(void)
{
	const uint64_t address = (uint64_t)take32() << 32 | take32();
	const uint32_t pages = take32(), what = take32();
	const int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);

	if (fd < 0)
		give_up("/dev/mem");
	signal(SIGBUS, faulted);
	signal(SIGSEGV, faulted);
	for (uint32_t i = 0; i < pages; i++) {
		volatile uint32_t *word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					       (off_t)(address + (uint64_t)i * PAGE));
		volatile uint8_t outcome = 1;

		if (word != MAP_FAILED) {
			outcome = (uint8_t)sigsetjmp(escape, 1);
			if (outcome == 0) {
				const uint32_t before = what == 2 ? 0 : *word;

				if (what != 0)
					*word = ~before;
				if (what == 1)
					outcome = *word == ~before ? 0 : 2;
			}
			munmap((void *)word, PAGE);
		}
		put((const uint8_t *)&outcome, 1);
	}
	signal(SIGBUS, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	close(fd);
}

/* --- tee-bridge as on a board ------------------------------------------------------------------------------------- */

static int connect_to_bridge(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		give_up("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* B: starts tee-bridge with a socket and waits until it takes connections; its process | mode of the socket. */
static void start_bridge(void)
{
	static char *const arguments[] = { BRIDGE, "--socket", SOCKET, NULL };
	static char *const environment[] = { "LD_LIBRARY_PATH=/usr/lib", NULL };
	const pid_t child = fork();
	struct stat info;
	int fd;

	if (child < 0)
		give_up("fork");
	if (child == 0) {
		execve(BRIDGE, arguments, environment);
		_exit(127);
	}
	while ((fd = connect_to_bridge()) < 0) {
		if (waitpid(child, NULL, WNOHANG) == child)
			give_up("tee-bridge ended");
		usleep(2000);
	}
	close(fd);
	if (stat(SOCKET, &info))
		give_up(SOCKET);
	put32((uint32_t)child);
	put32(info.st_mode & 07777);
}

/* K | process: ends it at once. */
static void kill_process(void)
{
	const pid_t child = (pid_t)take32();

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* X: a connection to the bridge's socket; its number. D | number: hangs up. */
static void connect_socket(void)
{
	uint32_t number = 0;

	while (number < MAX_CONNECTIONS && connections[number] >= 0)
		number++;
	if (number == MAX_CONNECTIONS)
		give_up("too many connections");
	connections[number] = connect_to_bridge();
	put32(connections[number] < 0 ? UINT32_MAX : number);
}

static int take_connection(uint32_t *number)
{
	*number = take32();
	if (*number >= MAX_CONNECTIONS || connections[*number] < 0)
		give_up("no such connection");
	return connections[*number];
}

static void disconnect_socket(void)
{
	uint32_t number;

	close(take_connection(&number));
	connections[number] = -1;
}

/* S | number | bytes to the end: 1 when all were taken. */
static void send_to_socket(void)
{
	uint32_t number;
	const int fd = take_connection(&number);
	size_t left = order_size - order_read;
	const uint8_t *p = take(left);

	while (left > 0) {
		const ssize_t sent = send(fd, p, left, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			break;
		p += sent;
		left -= (size_t)sent;
	}
	put32(left == 0);
}

static bool read_whole(int fd, uint8_t *p, size_t size, bool *ended)
{
	while (size > 0) {
		const ssize_t got = recv(fd, p, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		*ended = got == 0 || (got < 0 && errno == ECONNRESET);
		if (got <= 0)
			return false;
		p += got;
		size -= (size_t)got;
	}
	return true;
}

/* G | number: the next whole frame, with its length; nothing when the connection is over. First 1 when it is, else 0: then no
 * frame means that none came in time. */
static void receive_from_socket(void)
{
	static uint8_t frame[4 + COMMUNITY_TA_MAX_OUTPUT];
	bool ended = false;
	uint32_t number;
	const int fd = take_connection(&number);
	bool whole = read_whole(fd, frame, 4, &ended) && load32(frame) <= COMMUNITY_TA_MAX_OUTPUT;

	whole = whole && read_whole(fd, frame + 4, load32(frame), &ended);
	put32(ended);
	if (whole)
		put(frame, 4 + (size_t)load32(frame));
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void obey(uint8_t letter)
{
	switch (letter) {
	case 'O':
		return open_session();
	case 'C':
		return close_session();
	case 'I':
		return invoke();
	case 'R':
		return touch_memory();
	case 'B':
		return start_bridge();
	case 'K':
		return kill_process();
	case 'X':
		return connect_socket();
	case 'D':
		return disconnect_socket();
	case 'S':
		return send_to_socket();
	case 'G':
		return receive_from_socket();
	default:
		give_up("unknown order");
	}
}

static void take_orders(void)
{
	port = guest_start();
	/* The bridge's own children are none of those of the first process. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		connections[i] = -1;
	if (TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS)
		give_up("there is no TEE");
	say("ready");
	for (;;) {
		uint8_t size[4];

		port_read(size, sizeof(size));
		order_size = load32(size);
		if (order_size == 0 || order_size > sizeof(order))
			give_up("an order's size");
		port_read(order, order_size);
		order_read = 1;
		answer_size = 0;
		obey(order[0]);
		store32(size, (uint32_t)answer_size);
		port_write(size, sizeof(size));
		port_write(answer, answer_size);
	}
}

/* The bridge is a first process here too, so that all of it is what a node starts; outside of it is who kills it. */
static void keep_victim(void)
{
	struct pollfd typed = { .events = POLLIN };
	int console;
	pid_t victim;

	if (mount("dev", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, NULL))
		give_up("/dev");
	console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console < 0 || dup2(console, STDERR_FILENO) < 0 || unshare(CLONE_NEWPID))
		give_up("a PID namespace");
	/* The bridge mounts it itself. */
	if (umount2("/dev", MNT_DETACH))
		give_up("/dev");
	victim = fork();
	if (victim < 0)
		give_up("fork");
	if (victim == 0) {
		execl(BRIDGE, BRIDGE, NULL);
		_exit(127);
	}
	typed.fd = console;
	while (poll(&typed, 1, 50) <= 0)
		if (waitpid(victim, NULL, WNOHANG) == victim)
			give_up("tee-bridge ended by itself");
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	/* As the kernel does when the first process of all is killed. */
	give_up("tee-bridge was killed");
}

int main(void)
{
	char mode[16] = "";
	FILE *file = fopen("/test-mode", "re");

	if (!file || fscanf(file, "%15s", mode) != 1)
		give_up("/test-mode");
	fclose(file);
	if (!strcmp(mode, "victim"))
		keep_victim();
	take_orders();
}
