# SPDX-License-Identifier: Apache-2.0
global-incdirs-y += ../..
srcs-y += entry.c
libnames += trusted
libdirs += $(dir $(LIBRARY))
libdeps += $(LIBRARY)
