/* SPDX-License-Identifier: MIT */
/*
 * config.h - options of the build (meson_options.txt), under the names the kernel uses.
 */
#pragma once

#include <kozo_config.h>

#define CONFIG_MAX_THREADS KOZO_MAX_THREADS
/* Structures are walked after every event: slow, for hunting a bug. */
constexpr bool config_checks = kozo_checks;
