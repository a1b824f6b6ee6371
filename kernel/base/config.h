/* SPDX-License-Identifier: MIT */
/*
 * config.h - options of the build (meson_options.txt), under the names the kernel uses.
 *
 * Owns:      nothing.
 * Not here:  limits that are no options: with what they limit.
 * Callers:   the whole kernel.
 * Cost:      none: constants.
 * Spec:      docs/spec/build.md
 */
#pragma once

#include <kozo_config.h>

#define CONFIG_MAX_THREADS KOZO_MAX_THREADS
/* Structures are walked after every event: slow, for hunting a bug. */
constexpr bool config_checks = kozo_checks;
