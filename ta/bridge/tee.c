// SPDX-License-Identifier: Apache-2.0
#include <tee_client_api.h>

#include "bridge.h"
#include "ta/ta_commands.h"

const size_t TEE_INPUT_ROOM = COMMUNITY_TA_MAX_INPUT;

static TEEC_Context context;
static TEEC_Session session;
static bool session_open;
/* Registered once: a buffer registered around each call would cost more than a signature. */
static TEEC_SharedMemory input = { .size = COMMUNITY_TA_MAX_INPUT, .flags = TEEC_MEM_INPUT };
static TEEC_SharedMemory output = { .size = COMMUNITY_TA_MAX_OUTPUT, .flags = TEEC_MEM_OUTPUT };

bool tee_start(void)
{
	TEEC_Result result = TEEC_InitializeContext(NULL, &context);

	if (result == TEEC_SUCCESS)
		result = TEEC_AllocateSharedMemory(&context, &input);
	if (result == TEEC_SUCCESS)
		result = TEEC_AllocateSharedMemory(&context, &output);
	if (result != TEEC_SUCCESS)
		say("there is no TEE: 0x%08x", result);
	return result == TEEC_SUCCESS;
}

bool tee_open(void)
{
	static const TEEC_UUID uuid = COMMUNITY_TA_UUID;
	uint32_t origin = 0;
	TEEC_Result result;

	if (session_open)
		return true;
	result = TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
	session_open = result == TEEC_SUCCESS;
	if (!session_open)
		say("the trusted application cannot be opened: 0x%08x from %u", result, origin);
	return session_open;
}

void tee_close(void)
{
	if (session_open)
		TEEC_CloseSession(&session);
	session_open = false;
}

uint8_t *tee_input(void)
{
	return input.buffer;
}

const uint8_t *tee_frames(size_t size, size_t *used, size_t *answer_size, bool *closed)
{
	TEEC_Operation operation = { 0 };
	uint32_t origin = 0;
	TEEC_Result result;

	operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_VALUE_OUTPUT,
						TEEC_NONE);
	operation.params[0].memref.parent = &input;
	operation.params[0].memref.size = size;
	operation.params[1].memref.parent = &output;
	operation.params[1].memref.size = output.size;
	result = TEEC_InvokeCommand(&session, COMMUNITY_TA_FRAMES, &operation, &origin);
	if (result != TEEC_SUCCESS) {
		say("the trusted application is gone: 0x%08x from %u", result, origin);
		return NULL;
	}
	*used = operation.params[2].value.a;
	*closed = operation.params[2].value.b != 0;
	*answer_size = operation.params[1].memref.size;
	return output.buffer;
}
