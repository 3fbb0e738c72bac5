// SPDX-License-Identifier: Apache-2.0
/*
 * What OP-TEE's platform for QEMU leaves to constants: a unique key, a seed and a counter that cannot be set back. All
 * three live in flash bank 0, which `-machine virt,secure=on` maps for the secure world alone. The host keeps one flash
 * file per device (layout: ta/README.md) and gives it to QEMU as a writable drive.
 *
 * - Unique key: 16 random bytes. Secure storage is encrypted under keys derived from it.
 * - Seed: 32 random bytes, mixed with FEAT_RNG (QEMU asks the host's generator) for the random number generator.
 * - Counter: bound to the state of secure storage, so that an older copy of the data disk is refused.
 *
 * Under QEMU whoever owns the host owns this file. A board replaces this file by its fuses.
 */
#include <crypto/crypto.h>
#include <io.h>
#include <kernel/nv_counter.h>
#include <kernel/panic.h>
#include <kernel/tee_common_otp.h>
#include <mm/core_memprot.h>
#include <mm/core_mmu.h>
#include <string.h>
#include <string_ext.h>
#include <tee/tee_cryp_utl.h>
#include <trace.h>

#define SECRETS_PA	0x00200000
#define COUNTER_PA	0x00240000	/* a 256 KiB sector of its own */
#define COUNTER_SLOT	512		/* two slots, written in turn */

#define FLASH_POLLS	1000000
#define RNDR_TRIES	1000

struct device_secrets {
	uint8_t magic[16];
	uint8_t unique_key[HW_UNIQUE_KEY_LENGTH];
	uint8_t seed[32];
};

static const uint8_t device_magic[16] = "CN-DEVICE-1";

register_phys_mem(MEM_AREA_IO_SEC, SECRETS_PA, SMALL_PAGE_SIZE);
register_phys_mem(MEM_AREA_IO_SEC, COUNTER_PA, SMALL_PAGE_SIZE);

static vaddr_t flash_page(paddr_t pa)
{
	vaddr_t va = (vaddr_t)phys_to_virt_io(pa, SMALL_PAGE_SIZE);

	if (!va)
		panic("secure flash is not mapped");
	return va;
}

static void read_secrets(struct device_secrets *out)
{
	vaddr_t va = flash_page(SECRETS_PA);
	uint32_t words[sizeof(*out) / sizeof(uint32_t)] = { };
	size_t i = 0;

	COMPILE_TIME_ASSERT(sizeof(words) == sizeof(*out));
	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = io_read32(va + i * sizeof(uint32_t));
	memcpy(out, words, sizeof(*out));
	memzero_explicit(words, sizeof(words));
	if (memcmp(out->magic, device_magic, sizeof(device_magic)))
		panic("no device in secure flash");
}

TEE_Result tee_otp_get_hw_unique_key(struct tee_hw_unique_key *hwkey)
{
	struct device_secrets secrets = { };

	COMPILE_TIME_ASSERT(sizeof(hwkey->data) == sizeof(secrets.unique_key));
	read_secrets(&secrets);
	memcpy(hwkey->data, secrets.unique_key, sizeof(hwkey->data));
	memzero_explicit(&secrets, sizeof(secrets));
	return TEE_SUCCESS;
}

/* ID_AA64ISAR0_EL1.RNDR, Arm ARM D19.2.61 */
static bool have_rndr(void)
{
	uint64_t features = 0;

	asm volatile("mrs %0, id_aa64isar0_el1" : "=r"(features));
	return (features >> 60) & 0xf;
}

static uint64_t rndr(void)
{
	uint64_t value = 0;
	uint64_t ok = 0;
	int i = 0;

	for (i = 0; i < RNDR_TRIES; i++) {
		/* The register RNDR; it sets PSTATE.Z when it has nothing. */
		asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, ne" : "=r"(value), "=r"(ok) : : "cc");
		if (ok)
			return value;
	}
	panic("the random number generator of the processor has nothing");
}

void plat_rng_init(void)
{
	struct {
		uint64_t processor[4];
		uint64_t time;
		uint8_t seed[32];
	} entropy = { };
	struct device_secrets secrets = { };
	size_t i = 0;

	if (!have_rndr())
		panic("the processor has no FEAT_RNG: QEMU wants -cpu max");
	for (i = 0; i < ARRAY_SIZE(entropy.processor); i++)
		entropy.processor[i] = rndr();
	asm volatile("mrs %0, cntpct_el0" : "=r"(entropy.time));
	read_secrets(&secrets);
	memcpy(entropy.seed, secrets.seed, sizeof(entropy.seed));
	if (crypto_rng_init(&entropy, sizeof(entropy)))
		panic("crypto_rng_init");
	memzero_explicit(&entropy, sizeof(entropy));
	memzero_explicit(&secrets, sizeof(secrets));
}

/* A slot is a value and its complement; erased flash is all ones, a slot that was being written has them differ. */
static bool read_slot(unsigned int slot, uint32_t *value)
{
	vaddr_t va = flash_page(COUNTER_PA) + slot * COUNTER_SLOT;

	*value = io_read32(va);
	return *value == ~io_read32(va + sizeof(uint32_t)) && *value != UINT32_MAX;
}

/* The higher of the valid slots, 0 when there is none. `*slot` is the one it stands in. */
static uint32_t read_counter(unsigned int *slot)
{
	uint32_t first = 0;
	uint32_t second = 0;
	bool first_valid = read_slot(0, &first);
	bool second_valid = read_slot(1, &second);

	*slot = first_valid && (!second_valid || first >= second) ? 0 : 1;
	if (!first_valid && !second_valid)
		return 0;
	return *slot ? second : first;
}

/*
 * Intel's command set on two 16-bit chips side by side. QEMU's model lets a word be rewritten without erasing its block;
 * real NOR flash would want erase cycles.
 */
static TEE_Result program_word(vaddr_t va, uint32_t value)
{
	const uint32_t ready = 0x00800080;
	const uint32_t failed = 0x003a003a;	/* erase, program, voltage, lock */
	uint32_t status = 0;
	int i = 0;

	io_write32(va, 0x00400040);
	io_write32(va, value);
	do
		status = io_read32(va);
	while ((status & ready) != ready && ++i < FLASH_POLLS);
	io_write32(va, 0x00500050);	/* clear the status */
	io_write32(va, 0x00ff00ff);	/* read data again */
	if ((status & ready) != ready || (status & failed) || io_read32(va) != value)
		return TEE_ERROR_STORAGE_NOT_AVAILABLE;
	return TEE_SUCCESS;
}

TEE_Result nv_counter_get_ree_fs(uint32_t *value)
{
	unsigned int slot = 0;

	*value = read_counter(&slot);
	return TEE_SUCCESS;
}

TEE_Result nv_counter_incr_ree_fs_to(uint32_t value)
{
	unsigned int slot = 0;
	uint32_t now = read_counter(&slot);
	vaddr_t va = 0;
	TEE_Result res = TEE_SUCCESS;

	if (value < now)
		return TEE_ERROR_SECURITY;
	if (value == now)
		return TEE_SUCCESS;
	/* Into the other slot: until its last word stands, the present value stays the valid one. */
	va = flash_page(COUNTER_PA) + !slot * COUNTER_SLOT;
	res = program_word(va + sizeof(uint32_t), 0);
	if (!res)
		res = program_word(va, value);
	if (!res)
		res = program_word(va + sizeof(uint32_t), ~value);
	return res;
}
