/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H
#include "ta/ta_commands.h"

#define TA_UUID COMMUNITY_TA_UUID
/* One instance serves every session, and keeps budgets and pending changes between them. */
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)
/* The deepest call takes less than half of it; tools/check_freestanding.py bounds every single frame. */
#define TA_STACK_SIZE (128 * 1024)
/* Nothing of ours allocates; the kit's own start-up does, a little. */
#define TA_DATA_SIZE (32 * 1024)
/* The number that Makefile puts into the signed header, as the property gpd.ta.version. */
#define COMMUNITY_TEXT(word) #word
#define COMMUNITY_TEXT_OF(macro) COMMUNITY_TEXT(macro)
#define TA_VERSION COMMUNITY_TEXT_OF(CFG_TA_VERSION)
#define TA_DESCRIPTION "Community Node: trusted core"
#endif
