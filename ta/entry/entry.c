// SPDX-License-Identifier: Apache-2.0
/* Entry points of the trusted application (GlobalPlatform TEE Internal Core API 1.3, section 4.3): checks what the
 * normal world hands in, copies it out of memory the normal world can change, and calls the trusted core. */
#include <string.h>
#include <tee_internal_api.h>

#include "ta/port/body.h"
#include "ta/ta_commands.h"

/* Private copies. An answer is made here too: its MAC must be over bytes that nobody else can change meanwhile. */
static uint8_t input[COMMUNITY_TA_MAX_INPUT];
static uint8_t output[COMMUNITY_TA_MAX_OUTPUT];

TEE_Result TA_CreateEntryPoint(void)
{
	return body_create();
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[TEE_NUM_PARAMS], void **session)
{
	(void)params;
	if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	*session = body_open_session();
	return *session ? TEE_SUCCESS : TEE_ERROR_BUSY;
}

void TA_CloseSessionEntryPoint(void *session)
{
	body_close_session(session);
}

static TEE_Result frames(void *session, TEE_Param params[TEE_NUM_PARAMS])
{
	const size_t in_size = params[0].memref.size;
	size_t out_size = 0;
	uint32_t closed = 0;

	if (in_size > sizeof(input))
		return TEE_ERROR_EXCESS_DATA;
	/* A client may hand in a size without memory (TEE Client API Specification 1.0, section 4.3.7). */
	if ((in_size && !params[0].memref.buffer) || !params[1].memref.buffer)
		return TEE_ERROR_BAD_PARAMETERS;
	if (params[1].memref.size < sizeof(output)) {
		params[1].memref.size = sizeof(output);
		return TEE_ERROR_SHORT_BUFFER;
	}
	if (in_size)
		memcpy(input, params[0].memref.buffer, in_size);
	params[2].value.a = body_frames(session, input, in_size, output, sizeof(output), &out_size, &closed);
	params[2].value.b = closed;
	if (out_size)
		memcpy(params[1].memref.buffer, output, out_size);
	params[1].memref.size = out_size;
	TEE_MemFill(input, 0, in_size);
	TEE_MemFill(output, 0, out_size);
	return TEE_SUCCESS;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[TEE_NUM_PARAMS])
{
	if (command != COMMUNITY_TA_FRAMES)
		return TEE_ERROR_NOT_SUPPORTED;
	if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_VALUE_OUTPUT,
				     TEE_PARAM_TYPE_NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	return frames(session, params);
}
