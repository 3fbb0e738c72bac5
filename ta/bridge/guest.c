// SPDX-License-Identifier: Apache-2.0
/* The guest has no shell, no log-in and no network: this program, tee-supplicant and the kernel are all of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge.h"

#define PORT_NAME "org.community-node.trusted-core"
#define STEP_MICROSECONDS 5000
#define MAX_STEPS 2000

void guest_end(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Nobody is there who could mend anything: the host sees QEMU end, reads the line and starts again. */
static void __attribute__((noreturn)) give_up(const char *what)
{
	say("%s: %s", what, strerror(errno));
	guest_end();
}

static void child_ended(int signal)
{
	static const char words[] = "tee-bridge: tee-supplicant ended\n";

	(void)signal;
	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
		_exit(1);
	sync();
	reboot(RB_POWER_OFF);
}

static void mount_or_give_up(const char *source, const char *target, const char *type, unsigned long flags)
{
	if (mount(source, target, type, flags, NULL))
		give_up(target);
}

static void use_console(void)
{
	const int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	for (int i = 0; fd >= 0 && i < 3; i++)
		dup2(fd, i);
}

static void load_modules(void)
{
	FILE *order = fopen("/lib/modules/order", "re");
	char name[64], path[128];

	if (!order)
		give_up("/lib/modules/order");
	while (fscanf(order, "%63s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/lib/modules/%s.ko", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			give_up(path);
		close(fd);
	}
	fclose(order);
}

/* Devices appear a little after their module. */
static void wait_for(const char *path)
{
	for (int i = 0; access(path, F_OK); i++) {
		if (i == MAX_STEPS)
			give_up(path);
		usleep(STEP_MICROSECONDS);
	}
}

static void start_supplicant(void)
{
	static char *const arguments[] = { "tee-supplicant", "-f", "/data/tee", NULL };
	static char *const environment[] = { "LD_LIBRARY_PATH=/usr/lib", NULL };
	pid_t child;

	signal(SIGCHLD, child_ended);
	child = fork();
	if (child < 0)
		give_up("fork");
	if (child == 0) {
		execve("/usr/sbin/tee-supplicant", arguments, environment);
		_exit(127);
	}
}

/* The port that the host gave our name; empty when there is none yet. */
static bool find_port(char *path, size_t room)
{
	DIR *folder = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		char file[320], name[64] = "";
		FILE *text;

		snprintf(file, sizeof(file), "/sys/class/virtio-ports/%s/name", entry->d_name);
		text = fopen(file, "re");
		found = text && fscanf(text, "%63s", name) == 1 && !strcmp(name, PORT_NAME);
		if (text)
			fclose(text);
		if (found)
			snprintf(path, room, "/dev/%.63s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return found;
}

int guest_start(void)
{
	char port[80] = "";
	int fd;

	mount_or_give_up("dev", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC);
	use_console();
	mount_or_give_up("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV);
	mount_or_give_up("sys", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV);
	load_modules();
	wait_for("/dev/vda");
	mount_or_give_up("/dev/vda", "/data", "ext4", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_NOATIME);
	if (mkdir("/data/tee", 0700) && errno != EEXIST)
		give_up("/data/tee");
	wait_for("/dev/teepriv0");
	start_supplicant();
	wait_for("/dev/tee0");
	for (int i = 0; !find_port(port, sizeof(port)); i++) {
		if (i == MAX_STEPS)
			give_up(PORT_NAME);
		usleep(STEP_MICROSECONDS);
	}
	fd = open(port, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		give_up(port);
	return fd;
}
